import { type Tokenizer, type UnitRule, unitTokenizer } from './tokenizer.js';

export const CHARACTER_RULE: UnitRule = { kind: 'character', separator: '', split: (text) => [...text] };

/**
 * A tokenizer with one id for each character (Unicode code point); decoding gives the text back exactly.
 *
 * Ids 0..4 are `<pad> <think> </think> <compress> <eos>`, then the characters in code point order.
 *
 * @throws in `encode` for a character outside the vocabulary, naming it and its place.
 * @throws in `decode` for an id outside the vocabulary.
 */
export function characterTokenizer(texts: Iterable<string>): Tokenizer {
  const characters = new Set<string>();
  for (const text of texts) for (const character of text) characters.add(character);
  const sorted = [...characters].sort((left, right) => left.codePointAt(0)! - right.codePointAt(0)!);
  return unitTokenizer(CHARACTER_RULE, sorted);
}
