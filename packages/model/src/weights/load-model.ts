import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { ModelConfig } from '../config.js';
import { loadGguf } from './gguf/load-gguf.js';
import { loadModelFolder } from './model-folder.js';
import type { NamedArray } from './named-array.js';

/**
 * Loads a model: a folder in Hugging Face's form, a GGUF file, or a llama2.c file.
 * Tensors are float32 and have one set of names, whatever the file's.
 * @throws If nothing is at the path.
 * @throws If the config is of an unknown architecture, or asks for what is not computed here.
 * @throws If the weights are malformed, or not those of the config.
 */
export async function loadModel(
  path: string,
): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  return isGguf(path) ? loadGguf(path) : loadModelFolder(path);
}

function isGguf(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  if (path.endsWith('.gguf')) return true;
  const magic = Buffer.alloc(4);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, magic);
  } finally {
    closeSync(descriptor);
  }
  return magic.toString('latin1') === 'GGUF';
}
