import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HuggingFaceContent } from './huggingface-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import { UNIT_SETTINGS, unitTokenizerFile } from './unit-tokenizer-file.js';

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` into a model folder, as transformers' `AutoTokenizer` opens them.
 *
 * Word and character tokenizers become a `WordLevel` model that, as they do, refuses what it does not know.
 *
 * @throws if the folder cannot be written.
 */
export function saveTokenizer(tokenizer: Tokenizer, folder: string): void {
  const { file, settings } =
    tokenizer.kind === 'huggingface'
      ? (tokenizer.toJSON() as HuggingFaceContent)
      : { file: unitTokenizerFile(tokenizer), settings: UNIT_SETTINGS };
  mkdirSync(folder, { recursive: true });
  // this class reads tokenizer.json as it stands; those of single models build a split of their own
  const config = { ...settings, tokenizer_class: 'PreTrainedTokenizerFast' };
  writeFileSync(join(folder, 'tokenizer.json'), `${JSON.stringify(file)}\n`);
  writeFileSync(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
