import { type RandomDraws, randomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../record.js';

/** A task whose rows are made from a seed. */
export interface Task {
  readonly name: string;
  /** Every word that a row may hold, for `wordTokenizer`. */
  readonly vocabulary: readonly string[];
  /** The accuracy of the best guess that does not read the question, in [0, 1]. */
  readonly chance: number;
  /** The first `count` rows of a seed: row i depends on the seed and on i alone. */
  generate(count: number, seed: number): ReasoningRecord[];
}

/** A length, or the least and the greatest one, drawn uniformly. */
export type LengthRange = number | readonly [minimum: number, maximum: number];

/** Rows 0..count-1, each from its own random stream. */
export function generateRows(
  count: number,
  seed: number,
  row: (random: RandomDraws) => ReasoningRecord,
): ReasoningRecord[] {
  if (!Number.isInteger(count) || count < 0) {
    throw new Error(`generate: expected a count that is an integer >= 0, got ${count}`);
  }
  return Array.from({ length: count }, (_, index) => row(randomDraws(seed, index)));
}

/** A length range as its two ends. */
export function lengthBounds(range: LengthRange, caller: string, least: number): [number, number] {
  const [minimum, maximum] = typeof range === 'number' ? [range, range] : range;
  if (!Number.isInteger(minimum) || !Number.isInteger(maximum) || minimum < least || maximum < minimum) {
    throw new Error(
      `${caller}: expected an integer >= ${least} or [minimum, maximum] of them, got ${JSON.stringify(range)}`,
    );
  }
  return [minimum, maximum];
}

/** A length of the range, uniform. */
export function drawLength(random: RandomDraws, [minimum, maximum]: readonly [number, number]): number {
  return minimum + random.integer(maximum - minimum + 1);
}
