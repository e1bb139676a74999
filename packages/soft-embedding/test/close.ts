import { expect } from 'vitest';

/** Checks numbers one by one, each within an absolute tolerance. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(got[i]! - expected[i]!);
    expect(error, `element ${i}: ${got[i]} for ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  }
}
