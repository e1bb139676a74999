import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { fixedRateSizes, segmentByRate } from '../src/index.js';

it('cuts after every r tokens and keeps the rest', () => {
  expect(fixedRateSizes(5, 2)).toEqual([2, 2, 1]);
  expect(fixedRateSizes(4, 2)).toEqual([2, 2]);
  expect(fixedRateSizes(5, 8)).toEqual([5]);
  expect(fixedRateSizes(0, 2)).toEqual([]);
  expect(segmentByRate(['a', 'b', 'c', 'd', 'e'], 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

it('gives ceil(M / r) segments that join to the chain', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 20 }), (chain, rate) => {
      const segments = segmentByRate(chain, rate);
      expect(segments.flat()).toEqual(chain);
      expect(segments).toHaveLength(Math.ceil(chain.length / rate));
      expect(segments.map((segment) => segment.length)).toEqual(fixedRateSizes(chain.length, rate));
    }),
  );
});

it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a rate of %d', (rate) => {
  const message = `expected rate to be a whole number of at least 1, got ${rate}`;
  expect(() => fixedRateSizes(4, rate)).toThrow(`fixedRateSizes: ${message}`);
  expect(() => segmentByRate([1, 2], rate)).toThrow(`segmentByRate: ${message}`);
});

it('refuses a chain that is no count', () => {
  expect(() => fixedRateSizes(-1, 2)).toThrow('fixedRateSizes: expected chain to be a whole number, got -1');
});
