import { isDeepStrictEqual } from 'node:util';
import { CHARACTER_RULE } from './character-tokenizer.js';
import { SPECIAL_WORDS, type Tokenizer, type UnitRule, unitTokenizer } from './tokenizer.js';
import type { TokenizerSettings } from './tokenizer-settings.js';
import { WORD_RULE } from './word-tokenizer.js';

/** The settings beside the `tokenizer.json` of a word or character tokenizer. */
export const UNIT_SETTINGS: TokenizerSettings = {
  pad_token: '<pad>',
  eos_token: '<eos>',
  clean_up_tokenization_spaces: false,
};

/** A word or character tokenizer as a `WordLevel` `tokenizer.json` that, as it does, refuses what it does not know. */
export function unitTokenizerFile({ kind, vocabulary }: Pick<Tokenizer, 'kind' | 'vocabulary'>): object {
  const words = kind === 'word';
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_WORDS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: words,
      rstrip: words,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: words
      ? { type: 'WhitespaceSplit' }
      : { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
    post_processor: null,
    // without a decoder, tokens are joined with a space
    decoder: words ? null : { type: 'Fuse' },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
      // no such token: a word outside of the vocabulary is an error
      unk_token: '<unknown>',
    },
  };
}

/**
 * The word or character tokenizer that a `tokenizer.json` was written from; null for every other file.
 *
 * @param value the content of the file; anything
 */
export function tokenizerFromUnitFile(value: unknown): Tokenizer | null {
  const vocab = (value as { model?: { type?: unknown; vocab?: unknown } } | null)?.model;
  if (vocab?.type !== 'WordLevel' || typeof vocab.vocab !== 'object' || vocab.vocab === null) return null;
  const entries = Object.entries(vocab.vocab as Record<string, number>);
  const vocabulary = entries.sort(([, one], [, other]) => one - other).map(([word]) => word);
  const rule = [WORD_RULE, CHARACTER_RULE].find(({ kind }) =>
    isDeepStrictEqual(unitTokenizerFile({ kind, vocabulary }), value),
  );
  const units = vocabulary.slice(SPECIAL_WORDS.length);
  return rule && units.every((unit) => isUnit(rule, unit)) ? unitTokenizer(rule, units) : null;
}

function isUnit(rule: UnitRule, unit: string): boolean {
  const split = rule.split(unit);
  return split.length === 1 && split[0] === unit;
}
