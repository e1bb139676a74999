import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HuggingFaceContent } from './huggingface-tokenizer.js';
import { SPECIAL_WORDS, type Tokenizer } from './tokenizer.js';
import type { TokenizerSettings } from './tokenizer-settings.js';

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` into a model folder, as transformers' `AutoTokenizer` opens them.
 *
 * Word and character tokenizers become a `WordLevel` model that, as they do, refuses what it does not know.
 *
 * @throws if the folder cannot be written.
 */
export function saveTokenizer(tokenizer: Tokenizer, folder: string): void {
  const { file, settings } =
    tokenizer.kind === 'huggingface' ? (tokenizer.toJSON() as HuggingFaceContent) : unitFiles(tokenizer);
  mkdirSync(folder, { recursive: true });
  // this class reads tokenizer.json as it stands; those of single models build a split of their own
  const config = { ...settings, tokenizer_class: 'PreTrainedTokenizerFast' };
  writeFileSync(join(folder, 'tokenizer.json'), `${JSON.stringify(file)}\n`);
  writeFileSync(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

function unitFiles({ kind, vocabulary }: Tokenizer): { file: object; settings: TokenizerSettings } {
  const words = kind === 'word';
  const file = {
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
  const settings = { pad_token: '<pad>', eos_token: '<eos>', clean_up_tokenization_spaces: false };
  return { file, settings };
}
