import type { Component, TokenizerFile } from './tokenizer-file.js';

/** GPT-2's split into words, numbers and signs, as `ByteLevel` applies it. */
export const GPT2_SPLIT =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

export function isolate(pattern: string): Component {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

/**
 * A tokenizer file with two splits spelled out as patterns.
 *
 * `@huggingface/tokenizers` reads `Digits` and the split of `ByteLevel` with JavaScript's `\d` and `\s`, which know
 * ASCII digits alone, take U+FEFF for white space and U+0085 for none; patterns it translates exactly.
 */
export function withExactSplits(file: TokenizerFile): TokenizerFile {
  return file.pre_tokenizer ? { ...file, pre_tokenizer: exactSplit(file.pre_tokenizer) } : file;
}

function exactSplit(component: Component): Component {
  const { type } = component;
  if (type === 'Sequence') {
    return { ...component, pretokenizers: (component.pretokenizers as Component[]).map(exactSplit) };
  }
  if (type === 'Digits') return isolate(component.individual_digits === true ? '\\p{N}' : '\\p{N}+');
  // a prefix space is put before the split
  if (type === 'ByteLevel' && component.use_regex !== false && component.add_prefix_space !== true) {
    return { type: 'Sequence', pretokenizers: [isolate(GPT2_SPLIT), { ...component, use_regex: false }] };
  }
  return component;
}
