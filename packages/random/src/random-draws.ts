import { philox, type Words } from './philox.js';

/** Random draws one after another, for algorithms that do not know how many they need. */
export interface RandomDraws {
  /** An integer in [0, bound), uniform. */
  integer(bound: number): number;
  /** A number in [0, 1), 32 bits fine. */
  uniform(): number;
  /** An element, uniform. */
  pick<T>(from: readonly T[]): T;
  /** A new array in random order (Fisher-Yates). */
  shuffle<T>(values: readonly T[]): T[];
}

/**
 * The draws of one stream of a seed, from its start; two streams of one seed are independent.
 *
 * @param seed Safe integer >= 0, all of its bits used.
 * @param stream Integer in [0, 2^32): a row's number, so that row i does not depend on how many rows are made.
 * @throws if the seed is no safe integer >= 0.
 * @throws if the stream is no integer in [0, 2^32).
 */
export function randomDraws(seed: number, stream = 0): RandomDraws {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`randomDraws: expected a seed that is a safe integer >= 0, got ${seed}`);
  }
  if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) {
    throw new Error(`randomDraws: expected a stream that is an integer in [0, 2^32), got ${stream}`);
  }
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
  let block: Words = [0, 0, 0, 0];
  let blocks = 0;
  let used = 4;

  const word = (): number => {
    if (used === 4) {
      block = philox([blocks >>> 0, 0, stream, 0], key);
      blocks++;
      used = 0;
    }
    return block[used++]!;
  };

  const integer = (bound: number): number => {
    // Words past the last whole multiple of the bound are drawn again, or small values would be likelier.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = word();
    while (drawn >= limit) drawn = word();
    return drawn % bound;
  };

  return {
    integer,
    uniform: () => word() / 2 ** 32,
    pick: (from) => from[integer(from.length)]!,
    shuffle: (values) => {
      const shuffled = [...values];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
      }
      return shuffled;
    },
  };
}
