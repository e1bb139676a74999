import { expect } from 'vitest';

/** How close numbers must be: |actual - expected| <= atol + rtol |expected|. */
export interface Closeness {
  readonly rtol?: number;
  readonly atol?: number;
  /** Shape of the numbers, so that a failure names an element by its indices. */
  readonly shape?: readonly number[];
}

interface ClosenessMatchers<R> {
  toBeAllClose(expected: ArrayLike<number>, closeness?: Closeness): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the type parameter must be spelled as vitest spells it
  interface Assertion<T = any> extends ClosenessMatchers<T> {}
}

function indices(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return [...shape]
    .reverse()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
}

expect.extend({
  toBeAllClose(actual: ArrayLike<number>, expected: ArrayLike<number>, closeness: Closeness = {}) {
    const { rtol = 1e-5, atol = 1e-6, shape = [expected.length] } = closeness;
    if (actual.length !== expected.length) {
      return { pass: false, message: () => `expected ${expected.length} numbers, got ${actual.length}` };
    }
    let outside = 0;
    let worst = -1;
    let excess = 0;
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs(actual[i]! - expected[i]!);
      const beyond = error / (atol + rtol * Math.abs(expected[i]!));
      if (actual[i] === expected[i] || beyond <= 1) continue;
      outside++;
      // a NaN is worse than any number
      if (worst < 0 || beyond > excess || (Number.isNaN(beyond) && !Number.isNaN(excess))) {
        worst = i;
        excess = beyond;
      }
    }
    return {
      pass: outside === 0,
      message: () =>
        outside === 0
          ? `expected some number outside rtol ${rtol}, atol ${atol}`
          : `${outside} of ${expected.length} numbers outside rtol ${rtol}, atol ${atol}; ` +
            `worst at [${indices(worst, shape)}]: expected ${expected[worst]}, got ${actual[worst]}`,
    };
  },
});
