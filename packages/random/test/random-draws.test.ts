import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox, randomDraws } from '../src/index.js';

describe('randomDraws', () => {
  it('keeps its numbers: generated data sets depend on them', () => {
    // Written down from version 0.1.0.
    const random = randomDraws(2 ** 40 + 9, 12);
    expect([random.integer(1000), random.integer(1000)]).toEqual([864, 786]);
    expect(random.uniform()).toBe(0.27962127537466586);
    expect(random.pick([...'abcdefgh'])).toBe('e');
    expect(random.shuffle([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([5, 1, 2, 6, 8, 7, 3, 4]);
  });

  it('reads the words of Philox in order: key = seed, counter = [block, 0, stream, 0]', () => {
    const random = randomDraws(5 + 7 * 2 ** 32, 3);
    const words = [0, 1].flatMap((block) => philox([block, 0, 3, 0], [5, 7]));
    expect(words.map(() => random.integer(2 ** 32))).toEqual(words);
  });

  it('depends on the seed, all of its bits, and on the stream', () => {
    const first = (seed: number, stream: number) => randomDraws(seed, stream).integer(2 ** 31);
    expect(first(1, 0)).toBe(first(1, 0));
    expect(new Set([first(1, 0), first(1, 1), first(2, 0), first(1 + 2 ** 32, 0)]).size).toBe(4);
  });

  it('draws integers within the bound, near enough to uniform', () => {
    const random = randomDraws(7);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 70_000; draw++) counts[random.integer(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('draws numbers in [0, 1) with mean 1/2 and variance 1/12', () => {
    const random = randomDraws(8);
    const draws = Array.from({ length: 40_000 }, () => random.uniform());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.008);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    expect(draws.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  it('shuffles without losing, adding, or touching its input', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
        const before = [...values];
        const sorted = (list: number[]) => [...list].sort((left, right) => left - right);
        expect(sorted(randomDraws(seed).shuffle(values))).toEqual(sorted(values));
        expect(values).toEqual(before);
      }),
    );
  });

  it('refuses a seed or a stream that it would have to round', () => {
    expect(() => randomDraws(-1)).toThrow('randomDraws: expected a seed that is a safe integer >= 0, got -1');
    expect(() => randomDraws(0.5)).toThrow('got 0.5');
    expect(() => randomDraws(0, 2 ** 32)).toThrow(
      'randomDraws: expected a stream that is an integer in [0, 2^32), got 4294967296',
    );
  });
});
