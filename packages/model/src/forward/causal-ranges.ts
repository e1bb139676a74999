import { RANGES_PER_QUERY } from '@latent-sft/tensor';

/**
 * Key ranges of right-padded rows read causally: query t of a row of n tokens sees [0, t + 1), padding nothing.
 *
 * @param lengths tokens of each row
 * @param length T
 * @returns int32 [B * T * 3 * 2]
 */
export function causalRanges(lengths: readonly number[], length: number): Int32Array {
  const ranges = new Int32Array(lengths.length * length * RANGES_PER_QUERY * 2);
  lengths.forEach((tokens, row) => {
    for (let t = 0; t < tokens; t++) ranges[(row * length + t) * RANGES_PER_QUERY * 2 + 1] = t + 1;
  });
  return ranges;
}

/**
 * Key ranges of rows that stand one after the other, each read causally: query t of a row that begins at token s sees
 * [s, s + t + 1).
 *
 * @param lengths tokens of each row
 * @returns int32 [N * 3 * 2], N the sum of lengths
 */
export function packedCausalRanges(lengths: readonly number[]): Int32Array {
  const ranges = new Int32Array(lengths.reduce((sum, tokens) => sum + tokens, 0) * RANGES_PER_QUERY * 2);
  let start = 0;
  for (const tokens of lengths) {
    for (let t = 0; t < tokens; t++) ranges.set([start, start + t + 1], (start + t) * RANGES_PER_QUERY * 2);
    start += tokens;
  }
  return ranges;
}

/**
 * Key ranges of one more token a row, after a right-padded prompt and `steps` tokens: the prompt without its
 * padding, then everything since.
 *
 * @param lengths prompt tokens of each row; null for one that sees nothing
 * @param promptLength P, the padded length
 * @param steps tokens since the prompt, the newest included
 * @returns int32 [B * 1 * 3 * 2]
 */
export function continuationRanges(
  lengths: readonly (number | null)[],
  promptLength: number,
  steps: number,
): Int32Array {
  const ranges = new Int32Array(lengths.length * RANGES_PER_QUERY * 2);
  lengths.forEach((tokens, row) => {
    if (tokens === null) return;
    ranges.set([0, tokens, promptLength, promptLength + steps], row * RANGES_PER_QUERY * 2);
  });
  return ranges;
}
