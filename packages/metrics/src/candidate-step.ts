import { checkInteger } from './checks.js';

/** The vocabulary mixture of one latent step: token ids and their probabilities, which may sum to less than 1. */
export interface CandidateStep {
  readonly ids: ArrayLike<number>;
  /** One an id, `[k]`. */
  readonly probabilities: ArrayLike<number>;
}

/**
 * Gives the K most probable tokens of a distribution over the whole vocabulary, best first.
 *
 * @param probabilities `[V]`, at least 0, sum at most 1.
 * @param count K; all of V if larger. Of equal probabilities the lower id comes first.
 * @throws If `count` is not an integer of at least 1.
 * @throws If a probability is negative or not finite, or the sum exceeds 1.01.
 */
export function topCandidates(probabilities: ArrayLike<number>, count: number): CandidateStep {
  checkInteger('topCandidates', 'count', count, 1);
  checkProbabilities('topCandidates', 'probabilities', probabilities);
  const order = Array.from(probabilities, (_, id) => id);
  order.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  const ids = order.slice(0, count);
  return { ids, probabilities: ids.map((id) => probabilities[id]!) };
}

/** Maps the K most probable tokens of a step to their probabilities. */
export function candidateMap(
  caller: string,
  name: string,
  step: CandidateStep,
  count: number,
): Map<number, number> {
  const { ids, probabilities } = step;
  if (ids.length !== probabilities.length) {
    throw new Error(
      `${caller}: expected ${name} to have ${ids.length} probabilities, got ${probabilities.length}`,
    );
  }
  checkProbabilities(caller, `probabilities of ${name}`, probabilities);
  const best = Array.from(ids, (id, i) => [id, probabilities[i]!] as const)
    .sort(([idA, a], [idB, b]) => b - a || idA - idB)
    .slice(0, count);
  const map = new Map(best);
  if (map.size !== best.length)
    throw new Error(`${caller}: expected ${name} to name each id once, got repeats`);
  return map;
}

/**
 * Checks a list of probabilities and gives its sum.
 *
 * @throws If it is empty, a value is negative or not finite, or the sum exceeds 1.01.
 */
export function checkProbabilities(caller: string, name: string, probabilities: ArrayLike<number>): number {
  if (probabilities.length === 0) throw new Error(`${caller}: expected ${name} to hold numbers, got none`);
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i]!;
    if (!(probability >= 0) || !Number.isFinite(probability)) {
      throw new Error(`${caller}: expected ${name} to be finite and at least 0, got ${probability} at ${i}`);
    }
    sum += probability;
  }
  // Labels stored in bfloat16 sum to 1 only within half a per cent.
  if (sum > 1.01) throw new Error(`${caller}: expected ${name} to sum to at most 1, got ${sum}`);
  return sum;
}
