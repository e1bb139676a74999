import { randomStream } from '@latent-sft/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gumbelNoise, shapeNoise } from '../src/index.js';
import { expectClose } from './close.js';
import { GUMBEL } from './golden.js';

const draws = Float32Array.from(GUMBEL);

describe('shapeNoise', () => {
  it('shapes the golden draws', () => {
    expectClose(shapeNoise({ variant: 'plain', scale: 2 }, draws), [4.500734, -0.95177, 0.733026]);
    // Scaled first, clamped then: the first is cut at 3, the second stays within -1.5.
    expectClose(shapeNoise({ variant: 'clamped', scale: 3 }, draws), [3, -1.427655, 1.099539]);
    expectClose(shapeNoise({ variant: 'clamped', scale: 4 }, draws), [3, -1.5, 1.466052]);
    // Clamped first, lifted by 1.5 and scaled then.
    expectClose(shapeNoise({ variant: 'one-sided', scale: 2 }, draws), [7.500734, 2.04823, 3.733026]);
    expect([...shapeNoise({ variant: 'none', scale: 2 }, draws)]).toEqual([0, 0, 0]);
  });

  it('keeps each variant within its bounds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.01, max: 20, noNaN: true }), (seed, scale) => {
        const raw = randomStream(seed, 'bounds').gumbel(64);
        const within = (noise: Float32Array, low: number, high: number) =>
          noise.every((g) => g >= low && g <= high);
        expect(within(shapeNoise({ variant: 'clamped', scale }, raw), -1.5, 3)).toBe(true);
        const most = Math.fround(scale * 4.5) * (1 + 1e-6);
        expect(within(shapeNoise({ variant: 'one-sided', scale }, raw), 0, most)).toBe(true);
      }),
    );
  });
});

describe('gumbelNoise', () => {
  it('is the shaped draws of its stream', () => {
    const settings = { variant: 'plain', scale: 0.5 } as const;
    const noise = gumbelNoise(settings, randomStream(1, 'noise', 4), 7);
    expect(noise).toEqual(shapeNoise(settings, randomStream(1, 'noise', 4).gumbel(7)));
  });

  it('is nothing without a variant or at scale 0', () => {
    const stream = randomStream(1, 'noise');
    expect(gumbelNoise({ variant: 'none', scale: 1 }, stream, 7)).toBeNull();
    expect(gumbelNoise({ variant: 'plain', scale: 0 }, stream, 7)).toBeNull();
  });

  it('refuses a scale below 0 or not finite', () => {
    for (const scale of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => gumbelNoise({ variant: 'plain', scale }, randomStream(1, 'noise'), 7)).toThrow(
        `gumbelNoise: expected a scale from 0 on, got ${scale}`,
      );
    }
  });
});
