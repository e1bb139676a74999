import { checkInteger } from './checks.js';
import { type BootstrapOptions, bootstrapInterval, type Interval, wilsonInterval } from './intervals.js';

/** How many of an item's sampled answers were right. */
export interface SampledItem {
  readonly samples: number;
  readonly correct: number;
}

export interface PassAtKReport {
  readonly items: number;
  readonly k: number;
  readonly value: number;
  /** 95 % unless another level was asked for. */
  readonly interval: Interval;
  /** Wilson where every item has one sample (a proportion), else a bootstrap over items. */
  readonly method: 'wilson' | 'bootstrap';
}

/**
 * Gives the unbiased estimate of the chance that at least one of k samples is right, from n samples of which c are.
 *
 * Formula: `1 - C(n - c, k) / C(n, k)`, as a product that cannot overflow (Chen et al., "Evaluating large language
 * models trained on code", arXiv 2107.03374, equation 1).
 *
 * @param n Samples drawn.
 * @param c Right ones among them.
 * @param k Samples that a user would get.
 * @throws If `n` or `k` is not an integer of at least 1, or `c` of at least 0.
 * @throws If `c` or `k` exceeds `n`.
 */
export function passAtK(n: number, c: number, k: number): number {
  checkInteger('passAtK', 'n', n, 1);
  checkInteger('passAtK', 'c', c, 0);
  checkInteger('passAtK', 'k', k, 1);
  if (c > n || k > n) throw new Error(`passAtK: expected c and k to be at most n = ${n}, got ${c} and ${k}`);
  let allWrong = 1;
  for (let drawn = 0; drawn < k; drawn++) allWrong *= Math.max(0, n - c - drawn) / (n - drawn);
  return 1 - allWrong;
}

/**
 * Gives the mean over items of their unbiased pass@k.
 *
 * @throws If there is no item, or an item has fewer than k samples.
 */
export function meanPassAtK(items: readonly SampledItem[], k: number): number {
  const scores = itemScores('meanPassAtK', items, k);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Gives pass@k with its interval.
 *
 * The interval is Wilson's at 95 % if every item has one sample; else items are resampled (bootstrap), as samples of
 * one item depend on each other.
 *
 * @throws If there is no item, or an item has fewer than k samples.
 */
export function passAtKReport(
  items: readonly SampledItem[],
  k: number,
  options: BootstrapOptions = {},
): PassAtKReport {
  const scores = itemScores('passAtKReport', items, k);
  const total = scores.reduce((sum, score) => sum + score, 0);
  const single = items.every((item) => item.samples === 1) && (options.level ?? 0.95) === 0.95;
  return {
    items: items.length,
    k,
    value: total / items.length,
    interval: single ? wilsonInterval(total, items.length) : bootstrapInterval(scores, options),
    method: single ? 'wilson' : 'bootstrap',
  };
}

function itemScores(caller: string, items: readonly SampledItem[], k: number): number[] {
  if (items.length === 0) throw new Error(`${caller}: expected at least 1 item, got none`);
  return items.map(({ samples, correct }, i) => {
    if (samples < k)
      throw new Error(`${caller}: expected at least ${k} samples, got ${samples} for item ${i}`);
    return passAtK(samples, correct, k);
  });
}
