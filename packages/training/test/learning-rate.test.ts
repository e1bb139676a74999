import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LearningRateSettings, learningRateAt } from '../src/index.js';

const cosine: LearningRateSettings = { peak: 2, warmup: 0.2, final: 0.1, shape: 'cosine' };
const all = (settings: LearningRateSettings, steps: number) =>
  Array.from({ length: steps }, (_, step) => learningRateAt(settings, step, steps));

describe('learningRateAt', () => {
  it('climbs linearly to the peak, and falls along a cosine to its end', () => {
    const rates = all(cosine, 10);
    expect(rates[0]).toBeCloseTo(1);
    expect(rates[1]).toBeCloseTo(2);
    expect(rates[2]).toBeCloseTo(2);
    // Half-way down, at 4 of 8: (peak + final * peak) / 2.
    expect(rates[6]).toBeCloseTo(1.1);
    expect(rates[9]).toBeCloseTo(2 * (0.1 + 0.9 * ((1 + Math.cos((7 / 8) * Math.PI)) / 2)));
  });

  it('falls linearly, or stays', () => {
    const linear = all({ ...cosine, shape: 'linear' }, 10);
    expect(linear.slice(2)).toEqual(
      Array.from({ length: 8 }, (_, i) => expect.closeTo(2 * (0.1 + 0.9 * (1 - i / 8)), 9)),
    );
    expect(all({ ...cosine, shape: 'constant' }, 10).slice(1)).toEqual(Array(9).fill(2));
  });

  it('starts at the peak without a warm-up', () => {
    expect(learningRateAt({ ...cosine, warmup: 0 }, 0, 7)).toBe(2);
    expect(learningRateAt({ ...cosine, warmup: 0 }, 0, 1)).toBe(2);
  });

  it('is above 0, at most the peak, and never rises after the warm-up', () => {
    const settings = fc.record({
      peak: fc.double({ min: 1e-6, max: 1, noNaN: true }),
      warmup: fc.double({ min: 0, max: 1, noNaN: true }),
      final: fc.double({ min: 0.001, max: 1, noNaN: true }),
      shape: fc.constantFrom('cosine' as const, 'linear' as const, 'constant' as const),
    });
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 60 }), (one, steps) => {
        const rates = all(one, steps);
        const climb = Math.round(one.warmup * steps);
        rates.forEach((rate, step) => {
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(one.peak * (1 + 1e-12));
          if (step > climb) expect(rate).toBeLessThanOrEqual(rates[step - 1]! * (1 + 1e-12));
        });
      }),
    );
  });

  it('refuses a step outside the stage', () => {
    for (const step of [-1, 10, Number.NaN]) {
      expect(() => learningRateAt(cosine, step, 10)).toThrow(
        `learningRateAt: expected a step in [0, 10), got ${step}`,
      );
    }
  });
});
