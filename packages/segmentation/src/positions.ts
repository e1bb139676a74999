import type { Layout } from './layout.js';

/**
 * Position id of every row; int32 `[T]` in sequence order.
 *
 * `'single'` counts rows 0..T-1. `'dual'` differs on decoder layouts only: the backbone counts as if no branch
 * were there, so that it sits where the student and generation will put it, and a branch counts on from its latent.
 */
export function positions(layout: Layout, track: 'dual' | 'single' = 'dual'): Int32Array {
  const ids = new Int32Array(layout.length);
  if (track === 'single' || layout.kind !== 'decoder') {
    for (let row = 0; row < layout.length; row++) ids[row] = row;
    return ids;
  }
  let backbone = 0;
  let branch = 0;
  for (const span of layout.spans) {
    // A branch follows its latent in the sequence, so the backbone count is where that latent left it.
    if (span.branch === 0) branch = 0;
    for (let row = span.start; row < span.start + span.length; row++) {
      ids[row] = span.branch === 0 ? backbone++ : backbone + branch++;
    }
  }
  return ids;
}
