import { checkRows, type Rows } from './checks.js';

export interface DiscrepancyOptions {
  /** Kernel width: gamma of `exp(-gamma d^2)`, or `'median'` (default): `1 / (2 median d^2)` of the pooled pairs. */
  readonly gamma?: number | 'median';
  /** `'unbiased'` (default; may fall below 0) leaves out each point's kernel with itself. */
  readonly estimator?: 'biased' | 'unbiased';
}

/**
 * Gives the squared maximum mean discrepancy between two sets of vectors under the kernel `exp(-gamma d^2)`.
 *
 * Formula: `mean k(a, a') + mean k(b, b') - 2 mean k(a, b)`; the unbiased means over a set leave out its diagonal
 * (Gretton et al., "A kernel two-sample test", 2012, equations 3 and 5). Cost grows with (n + m)^2: sample first.
 *
 * @param a `[n, d]`, n >= 2.
 * @param b `[m, d]`, m >= 2.
 * @returns No unit.
 * @throws If a set has fewer than two rows, rows differ in width, or a value is not finite.
 * @throws If `gamma` is not `'median'` or finite and positive.
 */
export function mmd2(a: Rows, b: Rows, options: DiscrepancyOptions = {}): number {
  checkPair('mmd2', a, b);
  const gamma = kernelGamma(a, b, options.gamma ?? 'median');
  const unbiased = (options.estimator ?? 'unbiased') === 'unbiased';
  const within = (rows: Rows): number => {
    const pairs = sumOverPairs(rows, (distance) => Math.exp(-gamma * distance));
    const count = rows.length;
    return unbiased ? (2 * pairs) / (count * (count - 1)) : (2 * pairs + count) / count ** 2;
  };
  let across = 0;
  for (const first of a) {
    for (const second of b) across += Math.exp(-gamma * squaredDistance(first, second));
  }
  return within(a) + within(b) - (2 * across) / (a.length * b.length);
}

/**
 * Gives the median of the squared distances between all pairs of the pooled sets, the scale of the median heuristic.
 *
 * @param a `[n, d]`, n >= 2.
 * @param b `[m, d]`, m >= 2.
 * @param ofTwo What an even count takes: the mean of the two middle values, or the lower one (as PyTorch does).
 * @throws If a set has fewer than two rows, rows differ in width, or a value is not finite.
 */
export function medianSquaredDistance(a: Rows, b: Rows, ofTwo: 'mean' | 'lower' = 'mean'): number {
  checkPair('medianSquaredDistance', a, b);
  const pooled = [...a, ...b];
  const distances = new Float64Array((pooled.length * (pooled.length - 1)) / 2);
  let next = 0;
  sumOverPairs(pooled, (distance) => {
    distances[next++] = distance;
    return 0;
  });
  distances.sort();
  const lower = distances[Math.floor((distances.length - 1) / 2)]!;
  const upper = distances[Math.floor(distances.length / 2)]!;
  return ofTwo === 'lower' ? lower : (lower + upper) / 2;
}

function kernelGamma(a: Rows, b: Rows, gamma: number | 'median'): number {
  if (gamma === 'median') {
    const median = medianSquaredDistance(a, b);
    if (median === 0) throw new Error('mmd2: expected a median distance above 0 for gamma, got 0');
    return 1 / (2 * median);
  }
  if (!(gamma > 0) || !Number.isFinite(gamma)) {
    throw new Error(`mmd2: expected gamma to be 'median' or finite and positive, got ${gamma}`);
  }
  return gamma;
}

function checkPair(caller: string, a: Rows, b: Rows): void {
  const width = checkRows(caller, 'a', a, 2);
  const otherWidth = checkRows(caller, 'b', b, 2);
  if (otherWidth !== width)
    throw new Error(`${caller}: expected b to have rows of ${width}, got ${otherWidth}`);
}

function sumOverPairs(rows: Rows, value: (squaredDistance: number) => number): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let j = i + 1; j < rows.length; j++) sum += value(squaredDistance(rows[i]!, rows[j]!));
  }
  return sum;
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
