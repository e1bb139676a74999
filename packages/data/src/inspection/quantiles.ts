/** Where a list of numbers lies; percentiles by nearest rank. */
export interface Quantiles {
  readonly smallest: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly largest: number;
}

/** Quantiles of numbers; null of none. */
export function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return { smallest: at(0), median: at(0.5), p90: at(0.9), p99: at(0.99), largest: at(1) };
}
