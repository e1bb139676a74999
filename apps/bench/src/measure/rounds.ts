import { setTimeout as pause } from 'node:timers/promises';

/** For thread pools of the last runner to stop spinning before the next one begins. */
const SETTLE_MS = 50;

/** Who runs when in a round: each round begins one place later, and so each runner is as often first as last. */
export function orderOf(runners: number, round: number): number[] {
  return Array.from({ length: runners }, (_, place) => (place + round) % runners);
}

/** What warming up takes of a step of a few milliseconds: some tens of runs, until Node has compiled what it repeats. */
export const WARM_SECONDS = 3;

/** When rounds are thrown away: the first so many, and all that begin before so much time has gone by. */
export interface WarmUp {
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * Lets runners take turns, one at a time, round after round in rotating order.
 *
 * @returns the results of each runner, one a round
 * @throws what a runner throws.
 */
export async function takeTurns<T>(
  runners: readonly (() => Promise<T>)[],
  rounds: number,
  warmUp: WarmUp,
  settleMs = SETTLE_MS,
): Promise<T[][]> {
  const results: T[][] = runners.map(() => []);
  const begin = performance.now();
  let warm = 0;
  const cold = () => warm < warmUp.rounds || performance.now() - begin < warmUp.seconds * 1000;
  for (let round = 0; round - warm < rounds; round++) {
    const kept = !cold();
    if (!kept) warm++;
    for (const runner of orderOf(runners.length, round)) {
      await pause(settleMs);
      const result = await runners[runner]!();
      if (kept) results[runner]!.push(result);
    }
  }
  return results;
}
