import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkModelConfig, type ModelConfig } from '../config.js';
import { fromHuggingFace, toHuggingFace } from '../hugging-face/model-tensors.js';
import { parseModelConfig } from '../hugging-face/read-config.js';
import { huggingFaceModelConfig, type SpecialTokenIds } from '../hugging-face/write-config.js';
import { writeFileAtomically } from './atomic-file.js';
import { readJsonFile } from './json-file.js';
import { readLlama2c } from './llama2c.js';
import type { NamedArray } from './named-array.js';
import { readSafetensors, type StoredType, writeSafetensors } from './safetensors.js';
import { readShardedSafetensors } from './safetensors-shards.js';

const MAX_CONFIG_BYTES = 10_000_000;

/**
 * Loads a model: a folder with Hugging Face's `config.json` and `model.safetensors`, in one file or in
 * shards, or a llama2.c file.
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
  const config = parseModelConfig(readJsonFile('loadModelFolder', configFile, MAX_CONFIG_BYTES), configFile);
  const indexFile = `${weightsFile}.index.json`;
  if (!existsSync(weightsFile) && existsSync(indexFile)) {
    return { config, weights: fromHuggingFace(config, readShardedSafetensors(indexFile), indexFile) };
  }
  return { config, weights: fromHuggingFace(config, readSafetensors(weightsFile), weightsFile) };
}

/**
 * Saves a model in the form that `loadModelFolder` and Hugging Face's transformers read.
 * @param tokens Ids that transformers' generation looks for in the config; default none.
 * @param type How weights are stored; rounded to 16 bits, they are no longer exactly these.
 * @throws If the weights are not those of the config.
 * @throws If the folder cannot be written or the disk is full.
 */
export function saveModelFolder(
  folder: string,
  config: ModelConfig,
  weights: ReadonlyMap<string, NamedArray>,
  tokens: SpecialTokenIds = {},
  type: StoredType = 'F32',
): void {
  checkModelConfig(config, folder);
  const tensors = toHuggingFace(config, weights, folder);
  mkdirSync(folder, { recursive: true });
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' }, type);
  const json = `${JSON.stringify(huggingFaceModelConfig(config, tokens, type), null, 2)}\n`;
  writeFileAtomically(join(folder, 'config.json'), [Buffer.from(json)]);
}
