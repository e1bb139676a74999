import type { Layout } from '@latent-sft/segmentation';
import { RANGES_PER_QUERY } from './key-ranges.js';
import type { MaskName, MaskOptions } from './mask.js';
import { maskRule } from './rule.js';

/**
 * The mask as a matrix, for tests, drawings and backends without fused attention: 1 where the row (query) reads the
 * column (key); uint8 `[T * T]`, row-major, sequence order.
 *
 * @throws if `ltim` is asked of a layout that is not an encoder's, or `ltsum` of one that is not a decoder's.
 */
export function denseMask(layout: Layout, name: MaskName, options: MaskOptions = {}): Uint8Array {
  const allows = maskRule(layout, name, options);
  const rows = layout.length;
  return Uint8Array.from({ length: rows * rows }, (_, cell) =>
    Number(allows(Math.floor(cell / rows), cell % rows)),
  );
}

/**
 * The matrix that key ranges stand for; uint8 `[T * T]`, row-major, sequence order.
 *
 * @param ranges Key ranges, int32 `[T, 3, 2]`, in storage order.
 * @param order Sequence row of each storage row, int32 `[T]`, as `storageOrder` gives it.
 * @throws if `ranges` does not hold three ranges for each row of `order`.
 */
export function denseFromRanges(ranges: Int32Array, order: Int32Array): Uint8Array {
  const rows = order.length;
  const width = RANGES_PER_QUERY * 2;
  if (ranges.length !== rows * width) {
    throw new Error(`denseFromRanges: expected ranges of ${rows} x 3 x 2 numbers, got ${ranges.length}`);
  }
  const dense = new Uint8Array(rows * rows);
  order.forEach((query, row) => {
    for (let bound = row * width; bound < (row + 1) * width; bound += 2) {
      for (let key = ranges[bound]!; key < ranges[bound + 1]!; key++) dense[query * rows + order[key]!] = 1;
    }
  });
  return dense;
}
