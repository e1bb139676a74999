import type { Layout } from './layout.js';

/**
 * Sequence row held by each storage row: the backbone first, then the branches, each in sequence order; int32 `[T]`.
 *
 * Attention does not depend on the order of rows once position ids are given; in this order the visible keys of
 * every row are a few contiguous ranges.
 */
export function storageOrder(layout: Layout): Int32Array {
  const order = new Int32Array(layout.length);
  let place = 0;
  for (const ofBackbone of [true, false]) {
    for (const span of layout.spans) {
      if ((span.branch === 0) !== ofBackbone) continue;
      for (let row = span.start; row < span.start + span.length; row++) order[place++] = row;
    }
  }
  return order;
}
