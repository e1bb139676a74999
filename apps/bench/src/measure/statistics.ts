/** What a sample of measurements says. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/**
 * Median and spread of a sample; quartiles are interpolated between neighbours (type 7 of Hyndman and Fan 1996).
 *
 * @throws if there is no value, or one is not finite.
 */
export function summarise(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('summarise: expected at least one value, got none');
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new Error(`summarise: expected finite values, got ${wrong}`);
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  };
  return {
    count: sorted.length,
    median: quantile(0.5),
    minimum: sorted[0]!,
    maximum: sorted.at(-1)!,
    lowerQuartile: quantile(0.25),
    upperQuartile: quantile(0.75),
  };
}

/**
 * How many times as long the second of two interleaved samples takes, pair by pair: what disturbs one round disturbs
 * both, and drops out.
 *
 * @throws if the samples differ in length, or a time is not above 0.
 */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  if (ours.length !== theirs.length) {
    throw new Error(`pairedRatios: expected ${ours.length} times like the first, got ${theirs.length}`);
  }
  const wrong = [...ours, ...theirs].find((time) => !(time > 0));
  if (wrong !== undefined) throw new Error(`pairedRatios: expected times above 0, got ${wrong}`);
  return ours.map((time, round) => theirs[round]! / time);
}
