import { describe, expect, it } from 'vitest';
import './matchers.js';

const failure = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a failure');
};

describe('toBeAllClose', () => {
  it('accepts numbers within atol + rtol |expected|, and equal infinities', () => {
    expect([1, 100.9, 0]).toBeAllClose([1, 100, 1e-3], { rtol: 1e-2, atol: 1e-3 });
    expect(Float32Array.of(Number.POSITIVE_INFINITY)).toBeAllClose([Number.POSITIVE_INFINITY]);
    expect([1]).not.toBeAllClose([2]);
  });

  it('names the worst element by its indices', () => {
    const message = failure(() =>
      expect([0, 1.1, 2, 3, 4, 9]).toBeAllClose([0, 1, 2, 3, 4, 5], { shape: [2, 3] }),
    );
    expect(message).toBe(
      '2 of 6 numbers outside rtol 0.00001, atol 0.000001; worst at [1,2]: expected 5, got 9',
    );
  });

  it('takes NaN for the worst of all, and counts the numbers', () => {
    expect(failure(() => expect([Number.NaN, 9]).toBeAllClose([1, 1]))).toContain(
      'worst at [0]: expected 1, got NaN',
    );
    expect(failure(() => expect([9, Number.NaN]).toBeAllClose([1, 1]))).toContain(
      'worst at [1]: expected 1, got NaN',
    );
    expect(failure(() => expect([1]).toBeAllClose([1, 2]))).toBe('expected 2 numbers, got 1');
  });
});
