import { RANGES_PER_QUERY } from '@latent-sft/tensor';

/**
 * How many query-key pairs a mask shows: the keys in the ranges of every query, padding queries none.
 *
 * @param ranges limits [start, end) of key ranges, int32 [B * T * 3 * 2]
 * @param queries the rows that count, out of B * T; default all
 * @throws if the limits do not come in pairs.
 */
export function visiblePairs(ranges: Int32Array, queries?: ArrayLike<number>): number {
  if (ranges.length % 2 !== 0) {
    throw new Error(`visiblePairs: expected pairs of limits, got ${ranges.length} numbers`);
  }
  let pairs = 0;
  if (queries) {
    const width = RANGES_PER_QUERY * 2;
    for (let i = 0; i < queries.length; i++) {
      const first = queries[i]! * width;
      for (let j = first; j < first + width; j += 2) pairs += ranges[j + 1]! - ranges[j]!;
    }
    return pairs;
  }
  for (let i = 0; i < ranges.length; i += 2) pairs += ranges[i + 1]! - ranges[i]!;
  return pairs;
}
