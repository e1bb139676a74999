import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox } from '../src/random/philox.js';
import { randomStream } from '../src/random/random-stream.js';

describe('philox', () => {
  // Known answers of philox4x32 with 10 rounds: kat_vectors of Random123 1.14.
  it('gives the known answers of Random123', () => {
    const all = 0xffffffff;
    expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(philox([all, all, all, all], [all, all])).toEqual([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });
});

describe('randomStream', () => {
  it('depends on the seed, all of its bits, and on the stream', () => {
    const first = (seed: number, stream: number) => randomStream(seed, stream).integer(2 ** 31);
    expect(first(1, 0)).toBe(first(1, 0));
    expect(new Set([first(1, 0), first(1, 1), first(2, 0), first(1 + 2 ** 32, 0)]).size).toBe(4);
  });

  it('draws integers within the bound, near enough to uniform', () => {
    const random = randomStream(7, 0);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 70_000; draw++) counts[random.integer(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('shuffles without losing or adding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
        const sorted = (list: number[]) => [...list].sort((left, right) => left - right);
        expect(sorted(randomStream(seed, 0).shuffle(values))).toEqual(sorted(values));
      }),
    );
  });

  it('refuses a seed or a stream that it would have to round', () => {
    expect(() => randomStream(-1, 0)).toThrow('expected a seed that is a safe integer >= 0, got -1');
    expect(() => randomStream(0.5, 0)).toThrow('got 0.5');
    expect(() => randomStream(0, 2 ** 32)).toThrow('expected a stream');
  });
});
