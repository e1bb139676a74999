import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAITHFULNESS_ARMS,
  latentsOfOtherItems,
  meanLatents,
  shuffleWithinItems,
  zeroLatents,
} from '../src/index.js';

const anySeed = fc.nat(1_000_000);
/** Items of distinct latents: latent l of item i is `[i, l]`. */
const items = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 12 })
  .map((counts) => counts.map((count, i) => Array.from({ length: count }, (_, l) => [i, l])));

describe('faithfulness arms', () => {
  it('are listed in the order of a report', () => {
    const names = FAITHFULNESS_ARMS.map((arm) => arm.name);
    expect(names).toEqual(['trained', 'shuffled', 'other-item', 'mean', 'zero', 'none']);
  });

  it('give one list an item, the same for the same seed, and leave their input alone', () => {
    fc.assert(
      fc.property(items, anySeed, (latents, seed) => {
        fc.pre(latents.flat().length > 0);
        const before = JSON.stringify(latents);
        for (const arm of FAITHFULNESS_ARMS) {
          const changed = arm.apply(latents, seed);
          expect(changed.length).toBe(latents.length);
          expect(arm.apply(latents, seed)).toEqual(changed);
        }
        expect(JSON.stringify(latents)).toBe(before);
      }),
    );
  });

  it('trained keeps every latent, none drops every latent', () => {
    const latents = [
      [[1, 2]],
      [
        [3, 4],
        [5, 6],
      ],
    ];
    expect(FAITHFULNESS_ARMS[0]!.apply(latents, 0)).toEqual(latents);
    expect(FAITHFULNESS_ARMS[5]!.apply(latents, 0)).toEqual([[], []]);
  });
});

describe('shuffleWithinItems', () => {
  it('permutes the latents of each item, never by the identity', () => {
    fc.assert(
      fc.property(items, anySeed, (latents, seed) => {
        shuffleWithinItems(latents, seed).forEach((shuffled, i) => {
          expect(shuffled.toSorted((a, b) => a[1]! - b[1]!)).toEqual(latents[i]);
          if (shuffled.length > 1) expect(shuffled).not.toEqual(latents[i]);
        });
      }),
    );
    expect(() => shuffleWithinItems([[1]], -1)).toThrow('shuffleWithinItems: expected seed');
  });
});

describe('latentsOfOtherItems', () => {
  it('never gives an item its own, and keeps the number of latents where another item has it', () => {
    fc.assert(
      fc.property(items, anySeed, (latents, seed) => {
        const marked = latents.map((item, i) => item.map(() => i));
        latentsOfOtherItems(marked, seed).forEach((received, i) => {
          expect(received).not.toContain(i);
          const sameCount = latents.filter((item) => item.length === latents[i]!.length).length;
          if (sameCount > 1) expect(received.length).toBe(latents[i]!.length);
        });
      }),
    );
  });

  it('refuses a single item', () => {
    expect(() => latentsOfOtherItems([[1]], 0)).toThrow(
      'latentsOfOtherItems: expected at least 2 items, got 1',
    );
  });
});

describe('meanLatents and zeroLatents', () => {
  it('replace every latent and keep the number of latents', () => {
    const latents = [
      [
        [1, 2],
        [3, 6],
      ],
      [],
      [[5, 1]],
    ];
    const mean = meanLatents(latents).map((item) => item.map((latent) => Array.from(latent)));
    expect(mean).toEqual([
      [
        [3, 3],
        [3, 3],
      ],
      [],
      [[3, 3]],
    ]);
    const zero = zeroLatents(latents).map((item) => item.map((latent) => Array.from(latent)));
    expect(zero).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      [],
      [[0, 0]],
    ]);
  });

  it('refuse no latents, other widths and values that are not finite', () => {
    expect(() => meanLatents([[], []])).toThrow(
      'meanLatents: expected latents to have at least 1 rows, got 0',
    );
    expect(() => zeroLatents([[[1, 2]], [[1]]])).toThrow(
      'expected latents to have rows of 2, got 1 at row 1',
    );
    expect(() => meanLatents([[[Number.NaN]]])).toThrow('to be finite, got NaN at 0');
  });
});
