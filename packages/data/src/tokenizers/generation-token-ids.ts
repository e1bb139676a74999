import type { HuggingFaceContent } from './huggingface-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/** The ids that a model's `config.json` names for generation; null where the tokenizer has no such token. */
export interface GenerationTokenIds {
  readonly bos: number | null;
  readonly eos: number;
  readonly pad: number | null;
}

/** The ids of a tokenizer's beginning and end of text and its padding. */
export function generationTokenIds(tokenizer: Tokenizer): GenerationTokenIds {
  const { eos, pad } = tokenizer.special;
  if (tokenizer.kind !== 'huggingface') return { bos: null, eos, pad };
  const { file, settings } = tokenizer.toJSON() as HuggingFaceContent;
  const idOf = (token: string | undefined) => {
    if (token === undefined) return null;
    const added = file.added_tokens.find(({ content }) => content === token);
    return added?.id ?? (file.model.vocab as Record<string, number>)[token] ?? null;
  };
  return { bos: idOf(settings.bos_token), eos, pad: idOf(settings.pad_token) };
}
