import { type Tokenizer, type UnitRule, unitTokenizer } from './tokenizer.js';

export const WORD_RULE: UnitRule = {
  kind: 'word',
  separator: ' ',
  split: (text) => text.split(/\s+/u).filter((word) => word !== ''),
};

/**
 * A tokenizer with one id for each word between white space; decoding joins with one space.
 *
 * Ids 0..4 are `<pad> <think> </think> <compress> <eos>`, then the words in the order in which they first come.
 *
 * @param texts Texts, or the words themselves (a task's `vocabulary`).
 * @throws if a text holds a special token's word.
 * @throws in `encode` for a word outside the vocabulary, naming it and its place.
 * @throws in `decode` for an id outside the vocabulary.
 */
export function wordTokenizer(texts: Iterable<string>): Tokenizer {
  const words = new Set<string>();
  for (const text of texts) for (const word of WORD_RULE.split(text)) words.add(word);
  return unitTokenizer(WORD_RULE, [...words]);
}
