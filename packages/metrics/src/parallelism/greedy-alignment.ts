import { checkRows, type Rows } from '../checks.js';
import { cosineSimilarity } from '../cosine-similarity.js';

/** `1 - cosine`, or the Euclidean distance. */
export type LatentDistance = 'cosine' | 'euclidean';

/**
 * Assigns to each latent step, in order, the nearest reference latent that no earlier step has taken.
 *
 * Only the first `T = min(n, m)` of both sides take part; of equally near ones the earlier is taken.
 *
 * @param latents Latents of the model, `[n, d]`.
 * @param references Reference latents of one path, one a segment, `[m, d]`.
 * @returns `[T]`: the reference of step t, a permutation of 0..T-1.
 * @throws If a side is empty, rows differ in width, or a value is not finite.
 * @throws If the distance is the cosine and a vector is zero.
 */
export function greedyAlignment(
  latents: Rows,
  references: Rows,
  distance: LatentDistance = 'cosine',
): number[] {
  const width = checkRows('greedyAlignment', 'latents', latents);
  const otherWidth = checkRows('greedyAlignment', 'references', references);
  if (otherWidth !== width) {
    throw new Error(`greedyAlignment: expected references to have rows of ${width}, got ${otherWidth}`);
  }
  const count = Math.min(latents.length, references.length);
  const free = new Set(Array.from({ length: count }, (_, index) => index));
  return Array.from({ length: count }, (_, step) => {
    let nearest = -1;
    let shortest = Number.POSITIVE_INFINITY;
    for (const reference of free) {
      const length = distanceBetween(latents[step]!, references[reference]!, distance);
      if (length < shortest) [nearest, shortest] = [reference, length];
    }
    free.delete(nearest);
    return nearest;
  });
}

function distanceBetween(a: ArrayLike<number>, b: ArrayLike<number>, distance: LatentDistance): number {
  if (distance === 'cosine') return 1 - cosineSimilarity(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
