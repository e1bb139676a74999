import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  chainLength,
  meanPassAtK,
  passAtK,
  passAtKReport,
  studentTInterval,
  wilsonInterval,
} from '../src/index.js';
import { expectClose } from './close.js';

const counts = fc.integer({ min: 1, max: 200 }).chain((total) => fc.tuple(fc.nat(total), fc.constant(total)));

describe('wilsonInterval', () => {
  it('equals published values', () => {
    // R's binom.confint(8, 10, methods = "wilson") gives 0.4901625, 0.9433178.
    expectClose(wilsonInterval(8, 10, 1.959963985), [0.4901625, 0.9433178], 1e-6);
    expectClose(wilsonInterval(0, 10, 1.959963985), [0, 0.2775328], 1e-6);
  });

  it('holds the proportion, within [0, 1], and mirrors', () => {
    fc.assert(
      fc.property(counts, ([correct, total]) => {
        const [low, high] = wilsonInterval(correct, total);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(correct / total);
        expect(high).toBeGreaterThanOrEqual(correct / total);
        expectClose(wilsonInterval(total - correct, total), [1 - high, 1 - low], 1e-12);
      }),
    );
  });

  it('refuses bad counts', () => {
    expect(() => wilsonInterval(0, 0)).toThrow(
      'wilsonInterval: expected total to be an integer of at least 1, got 0',
    );
    expect(() => wilsonInterval(3, 2)).toThrow('expected correct to be at most total 2, got 3');
    expect(() => wilsonInterval(1.5, 2)).toThrow('expected correct to be an integer of at least 0, got 1.5');
    expect(() => wilsonInterval(1, 2, 0)).toThrow('expected z to be finite and positive, got 0');
  });
});

describe('bootstrapInterval', () => {
  it('is close to the normal interval of many values, and the same for the same seed', () => {
    const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const halfWidth = 1.96 * Math.sqrt((0.25 * 0.75) / 400);
    const interval = bootstrapInterval(values, { resamples: 4000, seed: 5 });
    expectClose(interval, [0.25 - halfWidth, 0.25 + halfWidth], 0.006);
    expect(bootstrapInterval(values, { resamples: 4000, seed: 5 })).toEqual(interval);
  });

  it('has no width for equal values, and is wider at a higher level', () => {
    expect(bootstrapInterval([2, 2, 2])).toEqual([2, 2]);
    const [low, high] = bootstrapInterval([1, 2, 3, 4, 9], { level: 0.5, resamples: 2000 });
    const [lower, higher] = bootstrapInterval([1, 2, 3, 4, 9], { level: 0.99, resamples: 2000 });
    expect(lower).toBeLessThan(low);
    expect(higher).toBeGreaterThan(high);
  });

  it('refuses bad input', () => {
    expect(() => bootstrapInterval([])).toThrow(
      'bootstrapInterval: expected values to hold numbers, got none',
    );
    expect(() => bootstrapInterval([1, Number.NaN])).toThrow('expected values to be finite, got NaN at 1');
    expect(() => bootstrapInterval([1], { level: 1 })).toThrow('expected level to be in (0, 1), got 1');
    expect(() => bootstrapInterval([1], { resamples: 0 })).toThrow('expected resamples');
    expect(() => bootstrapInterval([1], { seed: 0.5 })).toThrow('expected seed');
  });
});

describe('studentTInterval', () => {
  it.each([
    // Two-sided quantiles of the usual tables.
    [2, 0.95, 12.706205],
    [3, 0.95, 4.302653],
    [5, 0.95, 2.776445],
    [10, 0.99, 3.249836],
    [100, 0.95, 1.984217],
  ])('uses the quantile of %s values at level %s', (count, level, quantile) => {
    const values = Array.from({ length: count }, (_, i) => i);
    const error = Math.sqrt((count * (count + 1)) / 12 / count);
    const centre = (count - 1) / 2;
    expectClose(
      studentTInterval(values, level),
      [centre - quantile * error, centre + quantile * error],
      1e-4,
    );
  });

  it('refuses one value', () => {
    expect(() => studentTInterval([1])).toThrow('studentTInterval: expected at least 2 values, got 1');
    expect(() => studentTInterval([1, 2], 0)).toThrow('expected level to be in (0, 1), got 0');
  });
});

describe('passAtK', () => {
  it('equals 1 - C(7, k) / C(10, k) for 3 right of 10', () => {
    expectClose(
      [1, 4, 8].map((k) => passAtK(10, 3, k)),
      [3 / 10, 5 / 6, 1],
      1e-12,
    );
  });

  it('is unbiased: its mean over the binomial is the chance that one of k is right', () => {
    const [n, chance] = [6, 0.3];
    for (const k of [1, 2, 5]) {
      let [mean, weight] = [0, (1 - chance) ** n];
      for (let c = 0; c <= n; c++) {
        mean += weight * passAtK(n, c, k);
        weight *= ((n - c) / (c + 1)) * (chance / (1 - chance));
      }
      expectClose([mean], [1 - (1 - chance) ** k], 1e-12);
    }
  });

  it('is c / n for k = 1, and never falls with k or c', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 200 }), ([c, n], wanted) => {
        const k = Math.min(wanted, n);
        expectClose([passAtK(n, c, 1)], [c / n], 1e-12);
        if (k < n) expect(passAtK(n, c, k + 1)).toBeGreaterThanOrEqual(passAtK(n, c, k));
        if (c < n) expect(passAtK(n, c + 1, k)).toBeGreaterThanOrEqual(passAtK(n, c, k));
      }),
    );
  });

  it('refuses counts above n', () => {
    expect(() => passAtK(4, 5, 1)).toThrow('passAtK: expected c and k to be at most n = 4, got 5 and 1');
    expect(() => passAtK(4, 2, 5)).toThrow('got 2 and 5');
    expect(() => passAtK(4, 2, 0)).toThrow('expected k to be an integer of at least 1, got 0');
  });
});

describe('meanPassAtK and passAtKReport', () => {
  const single = Array.from({ length: 50 }, (_, i) => ({ samples: 1, correct: i < 40 ? 1 : 0 }));
  const several = [
    { samples: 4, correct: 1 },
    { samples: 2, correct: 2 },
    { samples: 8, correct: 0 },
  ];

  it('average over items', () => {
    expectClose([meanPassAtK(several, 1), meanPassAtK(several, 2)], [(0.25 + 1) / 3, (0.5 + 1) / 3], 1e-12);
  });

  it('use Wilson for one sample an item, else the bootstrap over items', () => {
    const report = passAtKReport(single, 1);
    expect(report).toEqual({
      items: 50,
      k: 1,
      value: 0.8,
      interval: wilsonInterval(40, 50),
      method: 'wilson',
    });
    const resampled = passAtKReport(several, 2, { resamples: 500, seed: 1 });
    expect(resampled.method).toBe('bootstrap');
    expect(resampled.interval).toEqual(bootstrapInterval([0.5, 1, 0], { resamples: 500, seed: 1 }));
  });

  it('refuse no items and too few samples', () => {
    expect(() => meanPassAtK([], 1)).toThrow('meanPassAtK: expected at least 1 item, got none');
    expect(() => passAtKReport(several, 3)).toThrow(
      'passAtKReport: expected at least 3 samples, got 2 for item 1',
    );
  });
});

describe('chainLength', () => {
  it('keeps reasoning, end marker and answer apart', () => {
    const report = chainLength([
      { reasoning: 4, end: 1, answer: 2 },
      { reasoning: 0, end: 1, answer: 5 },
    ]);
    expect(report).toEqual({ items: 2, meanReasoning: 2, meanEnd: 1, meanAnswer: 3.5, meanTotal: 6.5 });
  });

  it('refuses no items and bad counts', () => {
    expect(() => chainLength([])).toThrow('chainLength: expected at least 1 item, got none');
    expect(() => chainLength([{ reasoning: -1, end: 1, answer: 1 }])).toThrow(
      'chainLength: expected reasoning of item 0 to be an integer of at least 0, got -1',
    );
  });
});
