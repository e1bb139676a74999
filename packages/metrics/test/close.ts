import { expect } from 'vitest';

/** Expects numbers to agree with golden ones, printed to six decimals, to 1e-5. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(got.length).toBe(expected.length);
  Array.from(got).forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value} vs ${expected[i]}`).toBeLessThan(
      tolerance,
    );
  });
}
