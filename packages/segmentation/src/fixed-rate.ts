/**
 * Segment lengths of a chain of `chain` tokens cut after every `rate`: `[r, r, ..., rest]`, N = ceil(chain / rate).
 *
 * @throws if `rate` is not a whole number of at least 1.
 * @throws if `chain` is not a whole number.
 */
export function fixedRateSizes(chain: number, rate: number): number[] {
  requireRate('fixedRateSizes', rate);
  if (!(Number.isInteger(chain) && chain >= 0)) {
    throw new Error(`fixedRateSizes: expected chain to be a whole number, got ${chain}`);
  }
  return Array.from({ length: Math.ceil(chain / rate) }, (_, i) => Math.min(rate, chain - i * rate));
}

/**
 * The chain cut after every `rate` tokens; the last segment holds the rest.
 *
 * @throws if `rate` is not a whole number of at least 1.
 */
export function segmentByRate<T>(chain: readonly T[], rate: number): T[][] {
  requireRate('segmentByRate', rate);
  return fixedRateSizes(chain.length, rate).map((length, i) => chain.slice(i * rate, i * rate + length));
}

function requireRate(caller: string, rate: number): void {
  if (!(Number.isInteger(rate) && rate >= 1)) {
    throw new Error(`${caller}: expected rate to be a whole number of at least 1, got ${rate}`);
  }
}
