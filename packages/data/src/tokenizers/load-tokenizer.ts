import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkTokenizerFile } from './check-tokenizer-file.js';
import { tokenizerFromGguf } from './gguf-tokenizer.js';
import { huggingFaceTokenizer } from './huggingface-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { checkTokenizerSettings, type TokenizerSettings } from './tokenizer-settings.js';
import { tokenizerFromUnitFile } from './unit-tokenizer-file.js';

/** Texts of the markers around a chain. */
export interface MarkerOptions {
  /** Default `<think>`. */
  readonly think?: string;
  /** Default `</think>`. */
  readonly end?: string;
}

const LARGEST_FILE_BYTES = 2 ** 27;

/**
 * The tokenizer of a pretrained model: `tokenizer.json` of a model folder with the settings beside it, or the one
 * inside a GGUF file.
 *
 * What `saveTokenizer` wrote of a word or character tokenizer is that tokenizer again, its markers with it.
 *
 * Settings are `tokenizer_config.json`, `special_tokens_map.json` and `chat_template.jinja`, each if there.
 *
 * @throws if there is no tokenizer, or a file is broken; the error names the file and the field.
 */
export async function loadTokenizer(path: string, options: MarkerOptions = {}): Promise<Tokenizer> {
  const markers = { think: options.think ?? '<think>', end: options.end ?? '</think>' };
  if (!existsSync(path))
    throw new Error(`loadTokenizer: expected a model folder or a GGUF file, got no ${path}`);
  if (!statSync(path).isDirectory()) {
    if (!path.endsWith('.gguf')) {
      throw new Error(`loadTokenizer: expected a model folder or a GGUF file, got ${path}`);
    }
    // its parser is loaded only where it is used
    const { readGgufHeader } = await import('@latent-sft/model-files');
    const { metadata } = await readGgufHeader(path);
    return huggingFaceTokenizer({ ...tokenizerFromGguf(metadata, path), ...markers }, path);
  }
  const name = join(path, 'tokenizer.json');
  if (!existsSync(name)) throw new Error(`loadTokenizer: expected tokenizer.json in ${path}, got none`);
  const content = readJson(name);
  const ofUnits = tokenizerFromUnitFile(content);
  if (ofUnits) return ofUnits;
  const file = checkTokenizerFile(content, name);
  const { settings, templateSource } = folderSettings(path);
  return huggingFaceTokenizer({ file, settings, ...markers }, name, templateSource);
}

function folderSettings(folder: string) {
  const [map, config, template] = [
    'special_tokens_map.json',
    'tokenizer_config.json',
    'chat_template.jinja',
  ].map((file) => join(folder, file)) as [string, string, string];
  const settings: TokenizerSettings = {
    ...(existsSync(map) ? checkTokenizerSettings(readJson(map), map) : {}),
    ...(existsSync(config) ? checkTokenizerSettings(readJson(config), config) : {}),
  };
  if (!existsSync(template)) return { settings, templateSource: config };
  return { settings: { ...settings, chat_template: readText(template) }, templateSource: template };
}

function readJson(name: string): unknown {
  try {
    return JSON.parse(readText(name));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`loadTokenizer: expected JSON in ${name}, got ${error.message}`);
  }
}

function readText(name: string): string {
  const { size } = statSync(name);
  if (size > LARGEST_FILE_BYTES) {
    throw new Error(`loadTokenizer: expected at most ${LARGEST_FILE_BYTES} bytes in ${name}, got ${size}`);
  }
  const text = readFileSync(name, 'utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
