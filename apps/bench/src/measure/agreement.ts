/** Whether a peer computed what we did; a difference makes every comparison of times void. */
export interface Agreement {
  readonly agrees: boolean;
  /** Largest |theirs - ours| / max(|ours|, 1e-6) over the checked numbers. */
  readonly relativeDifference: number;
  /** Null where numbers need not be equal. */
  readonly tolerance: number | null;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Share of equal numbers, of a peer that need not have all of them. */
  readonly equalShare?: number;
}

const SMALLEST = 1e-6;

/**
 * Compares the numbers that a peer computed with ours.
 *
 * @param tolerance largest relative difference; 0 asks for equal numbers
 */
export function agreementOf(
  ours: readonly number[],
  theirs: readonly number[],
  tolerance: number,
): Agreement {
  const differences = ours.map((value, i) => {
    const gap = Math.abs((theirs[i] ?? Number.NaN) - value) / Math.max(Math.abs(value), SMALLEST);
    return Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
  });
  const relativeDifference =
    ours.length === theirs.length ? Math.max(0, ...differences) : Number.POSITIVE_INFINITY;
  return { agrees: relativeDifference <= tolerance, relativeDifference, tolerance, ours, theirs };
}

/** States how many of a peer's numbers are ours, which it need not have: it agrees where it has as many numbers. */
export function nearnessOf(ours: readonly number[], theirs: readonly number[]): Agreement {
  const equal = ours.filter((value, i) => value === theirs[i]).length;
  const { relativeDifference } = agreementOf(ours, theirs, 0);
  return {
    ...{ agrees: ours.length === theirs.length, relativeDifference, tolerance: null, ours, theirs },
    equalShare: equal / Math.max(1, ours.length),
  };
}
