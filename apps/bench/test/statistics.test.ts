import { describe, expect, it } from 'vitest';
import { agreementOf, nearnessOf } from '../src/measure/agreement.js';
import { pairedRatios, summarise } from '../src/measure/statistics.js';

describe('summarise', () => {
  it('gives median, extremes and quartiles', () => {
    // numpy.quantile([4, 1, 3, 2], [0.25, 0.5, 0.75]) of NumPy 2.4: 1.75, 2.5, 3.25
    expect(summarise([4, 1, 3, 2])).toEqual({
      count: 4,
      median: 2.5,
      minimum: 1,
      maximum: 4,
      lowerQuartile: 1.75,
      upperQuartile: 3.25,
    });
    expect(summarise([7])).toMatchObject({ median: 7, lowerQuartile: 7, upperQuartile: 7 });
  });

  it('refuses nothing, and what is not finite', () => {
    expect(() => summarise([])).toThrow('summarise: expected at least one value, got none');
    expect(() => summarise([1, Number.NaN])).toThrow('summarise: expected finite values, got NaN');
  });
});

describe('pairedRatios', () => {
  it('divides round by round, so that a slow round counts for both', () => {
    expect(pairedRatios([1, 10, 2], [2, 20, 6])).toEqual([2, 2, 3]);
  });

  it('refuses samples that do not pair, and times of 0', () => {
    expect(() => pairedRatios([1], [1, 2])).toThrow('expected 1 times like the first, got 2');
    expect(() => pairedRatios([0], [1])).toThrow('expected times above 0, got 0');
  });
});

describe('agreementOf', () => {
  it('takes the largest relative difference', () => {
    const { agrees, relativeDifference } = agreementOf([2, 4], [2.002, 4.002], 1e-3);
    expect(relativeDifference).toBeCloseTo(1e-3, 9);
    expect(agrees).toBe(relativeDifference <= 1e-3);
    expect(agreementOf([2, 4], [2, 4.1], 1e-3).agrees).toBe(false);
    expect(agreementOf([5, 6], [5, 6], 0).agrees).toBe(true);
  });

  it('states what is equal where not everything need be', () => {
    expect(nearnessOf([1, 2, 3, 4], [1, 9, 3, 4])).toMatchObject({ agrees: true, equalShare: 0.75 });
    expect(nearnessOf([1, 2], [1]).agrees).toBe(false);
  });

  it('agrees with nothing that is missing or not a number', () => {
    expect(agreementOf([1, 2], [1], 1).agrees).toBe(false);
    expect(agreementOf([1], [1, 2], 1).agrees).toBe(false);
    expect(agreementOf([1], [Number.NaN], 1).agrees).toBe(false);
  });
});
