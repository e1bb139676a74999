import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../src/index.js';

const DRAWS = 40_000;

/** Mean, variance, and skewness of a sample. */
function moments(draws: Float32Array): { mean: number; variance: number; skewness: number } {
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
  const third = draws.reduce((sum, x) => sum + (x - mean) ** 3, 0) / draws.length;
  return { mean, variance, skewness: third / variance ** 1.5 };
}

describe('randomStream', () => {
  it('keeps its numbers: a run that was stopped goes on with them', () => {
    // Written down from version 0.1.0.
    const stream = randomStream(7, 'union/gumbel', 3);
    expect([...stream.uniform(3)]).toEqual([0.23956531286239624, 0.8023412823677063, 0.46069926023483276]);
    expect([...stream.permutation(8)]).toEqual([6, 2, 7, 5, 3, 0, 4, 1]);
    // Math.log and Math.cos may differ in their last bit between engines.
    const close = (draws: Float32Array, expected: readonly number[]) =>
      expected.forEach((x, i) => {
        expect(draws[i]).toBeCloseTo(x, 6);
      });
    close(stream.normal(3), [0.5459936857223511, -1.599921703338623, 0.9574220180511475]);
    close(stream.gumbel(3), [-0.3569253385066986, 1.5131226778030396, 0.25487959384918213]);
    const far = randomStream(2 ** 31 + 5, 'cot/order', 2 ** 32 + 1);
    expect([...far.permutation(8)]).toEqual([6, 1, 3, 4, 0, 7, 2, 5]);
  });

  // bounds are about five standard errors of 40,000 draws
  it('draws uniform numbers inside (0, 1)', () => {
    const draws = randomStream(1, 'uniform').uniform(DRAWS);
    const { mean, variance } = moments(draws);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.008);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    expect(draws.every((u) => u > 0 && u < 1)).toBe(true);
  });

  it('draws standard normal numbers', () => {
    const draws = randomStream(2, 'normal').normal(DRAWS);
    const { mean, variance, skewness } = moments(draws);
    expect(Math.abs(mean)).toBeLessThan(0.025);
    expect(Math.abs(variance - 1)).toBeLessThan(0.036);
    expect(Math.abs(skewness)).toBeLessThan(0.062);
    const beyondTwo = draws.filter((x) => Math.abs(x) > 2).length / DRAWS;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.0055);
  });

  it('draws Gumbel numbers: mean Euler gamma, variance pi^2 / 6, skewness 1.14', () => {
    const { mean, variance, skewness } = moments(randomStream(3, 'gumbel').gumbel(DRAWS));
    expect(Math.abs(mean - 0.577216)).toBeLessThan(0.033);
    expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(0.09);
    expect(Math.abs(skewness - 1.1395)).toBeLessThan(0.2);
  });

  it('gives finite numbers only', () => {
    const stream = randomStream(4, 'finite');
    for (const draws of [stream.normal(DRAWS), stream.gumbel(DRAWS)]) {
      expect(draws.every(Number.isFinite)).toBe(true);
    }
  });

  it('permutes: every number once, each first with the same chance', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.integer(), fc.nat(), (count, seed, step) => {
        const order = randomStream(seed, 'permutation', step).permutation(count);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
    const firsts = [0, 0, 0, 0];
    for (let step = 0; step < 4000; step++) firsts[randomStream(5, 'first', step).permutation(4)[0]!]!++;
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });

  it('gives the same numbers for the same seed, label and step, and a longer draw starts with a shorter', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.nat(), fc.nat({ max: 60 }), (seed, label, step, count) => {
        const first = randomStream(seed, label, step);
        const again = randomStream(seed, label, step);
        expect(again.uniform(count)).toEqual(first.uniform(count));
        expect(again.permutation(count)).toEqual(first.permutation(count));
        expect(again.normal(count)).toEqual(first.normal(count + 9).subarray(0, count));
        expect(again.gumbel(count)).toEqual(first.gumbel(count + 9).subarray(0, count));
      }),
    );
  });

  it('gives other numbers for another seed, label or step, and no correlation between them', () => {
    const base = randomStream(1, 'a', 1).normal(DRAWS);
    const others = [
      randomStream(2, 'a', 1),
      randomStream(1, 'b', 1),
      randomStream(1, 'a', 2),
      randomStream(1, 'a', 2 ** 32 + 1),
    ];
    for (const other of others) {
      const draws = other.normal(DRAWS);
      const product = base.reduce((sum, x, i) => sum + x * draws[i]!, 0) / DRAWS;
      expect(Math.abs(product)).toBeLessThan(0.025);
    }
  });
});
