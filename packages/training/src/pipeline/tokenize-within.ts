import { limitLengths, type ReasoningRecord, type Tokenizer, tokenizeRecord } from '@latent-sft/data';
import type { ExampleTokens } from '@latent-sft/segmentation';
import type { Recipe } from '../recipe/recipe.js';

/** Records as tokens, within the recipe's length. */
export interface TokenizedRecords {
  readonly examples: readonly ExampleTokens[];
  /** The records of the examples. */
  readonly records: readonly ReasoningRecord[];
  readonly tooLong: { readonly dropped: number; readonly cut: number };
  /** One sentence where something was dropped or cut. */
  readonly warning: string | null;
}

/**
 * Turns records into tokens, and drops or cuts those that are too long by the recipe's rule.
 *
 * @param split what the records are, for messages
 * @throws if the tokenizer refuses a word.
 * @throws if a record is too long and the rule is `error`, or if none is left.
 */
export function tokenizeWithin(
  recipe: Recipe,
  tokenizer: Tokenizer,
  records: readonly ReasoningRecord[],
  split: string,
): TokenizedRecords {
  const { segmenter, prompt, lengths } = recipe;
  const all = records.map((record) => tokenizeRecord(record, tokenizer, segmenter, prompt));
  const { kept, dropped, cut } = limitLengths(all, lengths);
  if (kept.length === 0 && all.length > 0) {
    throw new Error(
      `runRecipe: expected ${split} rows of at most ${lengths.maxTokens} tokens, got none in ${all.length}`,
    );
  }
  const rows = `of ${all.length} ${split} rows, more than ${lengths.maxTokens} tokens each`;
  const done = [...(dropped > 0 ? [`${dropped} dropped`] : []), ...(cut > 0 ? [`${cut} cut`] : [])];
  return {
    examples: kept.map(({ example }) => example),
    records: kept.map(({ index }) => records[index]!),
    tooLong: { dropped, cut },
    warning: done.length > 0 ? `${done.join(' and ')} ${rows}` : null,
  };
}
