import { type RandomStream, randomStream } from '@latent-sft/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LabelNoise, perturbLabels, type SoftLabels } from '../src/index.js';
import { expectClose } from './close.js';
import { GUMBEL, NOISY, TOP_3 } from './golden.js';

const golden: SoftLabels = {
  count: 1,
  width: 3,
  alpha: Float32Array.from(TOP_3.alpha),
  ids: Uint32Array.from(TOP_3.ids),
};
const NOBODY = 99;
const plain: LabelNoise = { variant: 'plain', scale: 1, temperature: 1, guardedToken: NOBODY };

/** A stream whose Gumbel draws are given. */
function drawing(draws: readonly number[]): RandomStream {
  return { ...randomStream(0, 'unused'), gumbel: () => Float32Array.from(draws) };
}

describe('perturbLabels', () => {
  it.each(NOISY)('equals the golden numbers: $variant, scale $scale, temperature $temperature', (noisy) => {
    const noise = { ...noisy, guardedToken: NOBODY };
    const { labels, guardFailed } = perturbLabels(golden, noise, () => drawing(GUMBEL));
    expectClose(labels.alpha, noisy.alpha);
    expect(labels.ids).toBe(golden.ids);
    expect(guardFailed).toBe(false);
  });

  it('gives rows that sum to what they summed to, and leaves the labels that came in alone', () => {
    const sizes = {
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 4 }),
      width: fc.integer({ min: 1, max: 6 }),
    };
    fc.assert(
      fc.property(fc.record(sizes), ({ seed, count, width }) => {
        const alpha = randomStream(seed, 'labels').uniform(count * width);
        const before = alpha.slice();
        const labels = { count, width, alpha, ids: null };
        const noisy = perturbLabels(labels, plain, (attempt) => randomStream(seed, 'noise', attempt)).labels;
        for (let row = 0; row < count; row++) {
          const sumOf = (of: Float32Array) =>
            of.slice(row * width, (row + 1) * width).reduce((a, b) => a + b, 0);
          expect(sumOf(noisy.alpha)).toBeCloseTo(sumOf(before), 5);
        }
        expect(alpha).toEqual(before);
      }),
    );
  });

  it('draws again while the guarded token leads a slot', () => {
    const attempts: number[] = [];
    // Of two slots the second is led by token 4 on attempts 0 and 1.
    const labels = {
      count: 2,
      width: 3,
      alpha: Float32Array.from([...TOP_3.alpha, ...TOP_3.alpha]),
      ids: Uint32Array.from([...TOP_3.ids, ...TOP_3.ids]),
    };
    const { labels: noisy, guardFailed } = perturbLabels(labels, { ...plain, guardedToken: 4 }, (attempt) => {
      attempts.push(attempt);
      return drawing(attempt < 2 ? [0, 0, 0, 0, 0, 9] : [0, 0, 0, 0, 0, 0]);
    });
    expect(attempts).toEqual([0, 1, 2]);
    expect(guardFailed).toBe(false);
    expectClose(noisy.alpha, labels.alpha);
  });

  it('gives up after 100 more draws, and says so', () => {
    let draws = 0;
    const always = () => {
      draws++;
      return drawing([9, 0, 0]);
    };
    const { labels, guardFailed } = perturbLabels(golden, { ...plain, guardedToken: 3 }, always);
    expect(draws).toBe(101);
    expect(guardFailed).toBe(true);
    expect(labels.alpha[0]).toBeGreaterThan(0.99);
  });

  it('draws once where nothing is guarded', () => {
    let draws = 0;
    const once = () => {
      draws++;
      return drawing([9, 0, 0]);
    };
    const { guardFailed } = perturbLabels(golden, { ...plain, guardedToken: null }, once);
    expect([draws, guardFailed]).toEqual([1, false]);
  });

  it('reads tokens by place where the support is full', () => {
    const full = { ...golden, ids: null };
    const guarded = (guardedToken: number) =>
      perturbLabels(full, { ...plain, guardedToken }, () => drawing([0, 9, 0])).guardFailed;
    expect([guarded(0), guarded(1), guarded(2), guarded(3)]).toEqual([false, true, false, false]);
  });

  it('gives the labels themselves without noise, and refuses a negative scale', () => {
    const none = { ...plain, variant: 'none', guardedToken: 3 } as const;
    expect(perturbLabels(golden, none, () => drawing([]))).toEqual({ labels: golden, guardFailed: false });
    expect(() => perturbLabels(golden, { ...plain, scale: -1 }, () => drawing(GUMBEL))).toThrow(
      'expected a scale from 0 on, got -1',
    );
  });
});
