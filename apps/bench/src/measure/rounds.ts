import { setTimeout as pause } from 'node:timers/promises';

/** For thread pools of the last runner to stop spinning before the next one begins. */
const SETTLE_MS = 50;

/** Who runs when in a round: each round begins one place later, and so each runner is as often first as last. */
export function orderOf(runners: number, round: number): number[] {
  return Array.from({ length: runners }, (_, place) => (place + round) % runners);
}

/**
 * Lets runners take turns, one at a time, round after round in rotating order.
 *
 * @param warmUps rounds whose results are thrown away
 * @returns the results of each runner, one a round
 * @throws what a runner throws.
 */
export async function takeTurns<T>(
  runners: readonly (() => Promise<T>)[],
  rounds: number,
  warmUps: number,
  settleMs = SETTLE_MS,
): Promise<T[][]> {
  const results: T[][] = runners.map(() => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (const runner of orderOf(runners.length, round + warmUps)) {
      await pause(settleMs);
      const result = await runners[runner]!();
      if (round >= 0) results[runner]!.push(result);
    }
  }
  return results;
}
