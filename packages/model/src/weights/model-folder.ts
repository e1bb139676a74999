import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkModelConfig, type ModelConfig } from '../config.js';
import { fromHuggingFace, toHuggingFace } from '../hugging-face/model-tensors.js';
import { parseModelConfig } from '../hugging-face/read-config.js';
import { huggingFaceModelConfig, type SpecialTokenIds } from '../hugging-face/write-config.js';
import { writeFileAtomically } from './atomic-file.js';
import { readLlama2c } from './llama2c.js';
import type { NamedArray } from './named-array.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/**
 * Loads a model: a folder with Hugging Face's `config.json` and `model.safetensors`, or a llama2.c file.
 * @throws If neither is there.
 * @throws If the config is not JSON, or not one of a supported model.
 * @throws If the weights are malformed, or not those of the config.
 */
export function loadModelFolder(folderOrFile: string): {
  config: ModelConfig;
  weights: Map<string, NamedArray>;
} {
  const found = statSync(folderOrFile, { throwIfNoEntry: false });
  if (!found) {
    throw new Error(
      `loadModelFolder: expected a model folder or a llama2.c file, got nothing at ${folderOrFile}`,
    );
  }
  if (found.isFile()) return readLlama2c(folderOrFile);
  const configFile = join(folderOrFile, 'config.json');
  const weightsFile = join(folderOrFile, 'model.safetensors');
  if (!existsSync(weightsFile) && existsSync(`${weightsFile}.index.json`)) {
    throw new Error(
      `loadModelFolder: expected one model.safetensors in ${folderOrFile}, got a sharded model`,
    );
  }
  const config = parseModelConfig(readJson(configFile), configFile);
  return { config, weights: fromHuggingFace(config, readSafetensors(weightsFile), weightsFile) };
}

/**
 * Saves a model in the form that `loadModelFolder` and Hugging Face's transformers read.
 * @param tokens Ids that transformers' generation looks for in the config; default none.
 * @throws If the weights are not those of the config.
 * @throws If the folder cannot be written or the disk is full.
 */
export function saveModelFolder(
  folder: string,
  config: ModelConfig,
  weights: ReadonlyMap<string, NamedArray>,
  tokens: SpecialTokenIds = {},
): void {
  checkModelConfig(config, folder);
  const tensors = toHuggingFace(config, weights, folder);
  mkdirSync(folder, { recursive: true });
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const json = `${JSON.stringify(huggingFaceModelConfig(config, tokens), null, 2)}\n`;
  writeFileAtomically(join(folder, 'config.json'), [Buffer.from(json)]);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`loadModelFolder: expected JSON in ${file}, got ${code ?? message}`);
  }
}
