import type { Layout } from './layout.js';

/**
 * Sequence row held by each storage row: the backbone first, then the branches, each in sequence order; int32 `[T]`.
 *
 * Attention does not depend on the order of rows once position ids are given; in this order the visible keys of
 * every row are a few contiguous ranges.
 */
export function storageOrder(layout: Layout): Int32Array {
  const backbone: number[] = [];
  const branches: number[] = [];
  for (const span of layout.spans) {
    const part = span.branch === 0 ? backbone : branches;
    for (let row = span.start; row < span.start + span.length; row++) part.push(row);
  }
  return Int32Array.from([...backbone, ...branches]);
}
