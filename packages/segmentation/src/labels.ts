import { isTarget, type Layout } from './layout.js';

/**
 * 1 where the row's own token is a target, else 0; uint8 `[T]` in sequence order.
 *
 * Encoder: none. Decoder: S2..SN, E, A. Student: E, A. Chain: segments, E, A.
 * The target at row t is predicted by row t-1: Z_i is asked for the first token of S_{i+1}, and the last
 * row of a segment, whose next row is a latent, for nothing.
 */
export function labels(layout: Layout): Uint8Array {
  const targets = new Uint8Array(layout.length);
  for (const span of layout.spans) {
    if (isTarget(layout.kind, span)) targets.fill(1, span.start, span.start + span.length);
  }
  return targets;
}
