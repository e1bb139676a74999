import { randomDraws } from '@latent-sft/random';
import { checkFinite, checkInteger, checkRows, type Rows } from './checks.js';

export interface RandomPairReport {
  readonly mean: number;
  /** Of the drawn pairs, with n - 1. */
  readonly standardDeviation: number;
  readonly pairs: number;
}

/**
 * Gives the cosine of the angle between two vectors: `a.b / (|a| |b|)`.
 *
 * @param a `[d]`.
 * @param b `[d]`.
 * @throws If lengths differ, a value is not finite, or a vector is zero.
 */
export function cosineSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkFinite('cosineSimilarity', 'a', a);
  checkFinite('cosineSimilarity', 'b', b);
  if (a.length !== b.length) {
    throw new Error(`cosineSimilarity: expected b to have ${a.length} numbers, got ${b.length}`);
  }
  const lengths = norm(a) * norm(b);
  if (lengths === 0) throw new Error('cosineSimilarity: expected vectors other than zero, got a zero vector');
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, dot / lengths));
}

/**
 * Gives mean and spread of the cosine over random pairs, one vector from each set (arXiv 2510.15522, figure 2).
 *
 * @param a `[n, d]`.
 * @param b `[m, d]`.
 * @param options `pairs` drawn with replacement (default 10,000), and `seed` (default 0).
 * @throws If a set is empty, rows differ in width, a value is not finite, or a drawn row is zero.
 * @throws If `pairs` is not an integer of at least 2, or `seed` of at least 0.
 */
export function randomPairCosine(
  a: Rows,
  b: Rows,
  options: { readonly pairs?: number; readonly seed?: number } = {},
): RandomPairReport {
  const { pairs = 10_000, seed = 0 } = options;
  checkRows('randomPairCosine', 'a', a);
  checkRows('randomPairCosine', 'b', b);
  checkInteger('randomPairCosine', 'pairs', pairs, 2);
  checkInteger('randomPairCosine', 'seed', seed, 0);
  const random = randomDraws(seed);
  const cosines = Float64Array.from({ length: pairs }, () =>
    cosineSimilarity(random.pick(a), random.pick(b)),
  );
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / pairs;
  const variance = cosines.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / (pairs - 1);
  return { mean, standardDeviation: Math.sqrt(variance), pairs };
}

/**
 * Gives the mean Euclidean length of vectors: `1/n sum_i |x_i|` (arXiv 2510.15522, figure 2).
 *
 * @param rows `[n, d]`.
 * @throws If there is no row, rows differ in width, or a value is not finite.
 */
export function meanNorm(rows: Rows): number {
  checkRows('meanNorm', 'rows', rows);
  return rows.reduce((sum, row) => sum + norm(row), 0) / rows.length;
}

function norm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! ** 2;
  return Math.sqrt(sum);
}
