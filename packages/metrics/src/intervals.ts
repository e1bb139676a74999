import { randomDraws } from '@latent-sft/random';
import { checkFinite, checkInteger } from './checks.js';
import { studentTQuantile } from './student-t.js';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

export interface BootstrapOptions {
  /** Resamples drawn; default 10,000. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Coverage in (0, 1); default 0.95. */
  readonly level?: number;
}

/**
 * Gives the Wilson score interval of a proportion.
 *
 * Formula: `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)` with `p = correct/n` (Wilson, "Probable
 * inference, the law of succession, and statistical inference", 1927). Sound near 0 and 1, where `p -+ z se` is not.
 *
 * @param correct Number of successes.
 * @param total Number of trials n.
 * @param z Normal quantile; 1.96 covers 95 %.
 * @throws If `total` is not an integer of at least 1.
 * @throws If `correct` is not an integer in `[0, total]`.
 * @throws If `z` is not finite and positive.
 */
export function wilsonInterval(correct: number, total: number, z = 1.96): Interval {
  checkInteger('wilsonInterval', 'total', total, 1);
  checkInteger('wilsonInterval', 'correct', correct, 0);
  if (correct > total) {
    throw new Error(`wilsonInterval: expected correct to be at most total ${total}, got ${correct}`);
  }
  if (!(z > 0) || !Number.isFinite(z)) {
    throw new Error(`wilsonInterval: expected z to be finite and positive, got ${z}`);
  }
  const share = correct / total;
  const squared = (z * z) / total;
  const centre = share + squared / 2;
  const halfWidth = z * Math.sqrt((share * (1 - share)) / total + squared / (4 * total));
  // The ends are exactly 0 and 1 when nothing or everything succeeded; rounding must not say 1e-17.
  const low = correct === 0 ? 0 : (centre - halfWidth) / (1 + squared);
  const high = correct === total ? 1 : (centre + halfWidth) / (1 + squared);
  return [low, high];
}

/**
 * Gives the percentile bootstrap interval of a mean: items are resampled, so it fits scores of any shape.
 *
 * Formula: quantiles `(1 - level)/2` and `(1 + level)/2` of the resampled means (Efron and Tibshirani, "An
 * introduction to the bootstrap", chapter 13). For two systems on the same items, pass the differences per item.
 *
 * @param values One score an item, `[n]`.
 * @throws If `values` is empty or not finite.
 * @throws If `resamples` is not an integer of at least 1, or `seed` of at least 0.
 * @throws If `level` is not in (0, 1).
 */
export function bootstrapInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  const { resamples = 10_000, seed = 0, level = 0.95 } = options;
  checkFinite('bootstrapInterval', 'values', values);
  checkInteger('bootstrapInterval', 'resamples', resamples, 1);
  checkLevel('bootstrapInterval', level);
  checkInteger('bootstrapInterval', 'seed', seed, 0);
  const random = randomDraws(seed);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[random.integer(values.length)]!;
    means[resample] = sum / values.length;
  }
  means.sort();
  return [quantileOfSorted(means, (1 - level) / 2), quantileOfSorted(means, (1 + level) / 2)];
}

/**
 * Gives Student's t interval of a mean, for a few runs of different seeds (the `+-` of the paper's tables).
 *
 * Formula: `mean -+ t_(n-1, (1+level)/2) s / sqrt(n)`, s the standard deviation with n - 1.
 *
 * @param values One score a run, `[n]`, n >= 2.
 * @param level Coverage in (0, 1).
 * @throws If there are fewer than two values, or one is not finite.
 * @throws If `level` is not in (0, 1).
 */
export function studentTInterval(values: ArrayLike<number>, level = 0.95): Interval {
  checkFinite('studentTInterval', 'values', values);
  if (values.length < 2) throw new Error('studentTInterval: expected at least 2 values, got 1');
  checkLevel('studentTInterval', level);
  const count = values.length;
  const scores = Array.from(values);
  const mean = scores.reduce((sum, score) => sum + score, 0) / count;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (count - 1);
  const halfWidth = studentTQuantile((1 + level) / 2, count - 1) * Math.sqrt(variance / count);
  return [mean - halfWidth, mean + halfWidth];
}

function checkLevel(caller: string, level: number): void {
  if (!(level > 0 && level < 1)) throw new Error(`${caller}: expected level to be in (0, 1), got ${level}`);
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan). */
function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
