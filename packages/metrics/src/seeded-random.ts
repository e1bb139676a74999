/** A source of uniform numbers in `[0, 1)`. */
export type RandomSource = () => number;

/**
 * Makes the SplitMix32 generator of a seed: the same numbers on every machine.
 *
 * Formula: a Weyl sequence with step `0x9e3779b9`, mixed by MurmurHash3-style multiplications (Steele, Lea and
 * Flood, "Fast splittable pseudorandom number generators", 2014, in 32 bits).
 *
 * @param seed Integer of at least 0.
 * @param caller Name of the public function, for its error.
 * @throws If `seed` is not an integer of at least 0.
 */
export function seededRandom(seed: number, caller: string): RandomSource {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`${caller}: expected seed to be an integer of at least 0, got ${seed}`);
  }
  let state = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Draws an integer in `[0, count)`. */
export function randomIndex(random: RandomSource, count: number): number {
  return Math.floor(random() * count);
}

/** Gives a shuffled copy: each order is as likely as another (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], random: RandomSource): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = randomIndex(random, last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
