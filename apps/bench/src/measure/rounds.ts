import { setTimeout as pause } from 'node:timers/promises';

/** For thread pools of the last runner to stop spinning before the next one begins. */
const SETTLE_MS = 50;

/** Who runs when in a round: each round begins one place later, and so each runner is as often first as last. */
export function orderOf(runners: number, round: number): number[] {
  return Array.from({ length: runners }, (_, place) => (place + round) % runners);
}

/** What warming up takes of a step of some milliseconds: some tens of runs, until Node has compiled what it repeats. */
export const WARM_SECONDS = 1.5;

/** A check of so long, of all peers together, has warmed them up. */
export const LONG_CHECK_SECONDS = 10;

/** What measuring takes of such a step: some tens of rounds, since single ones of a few milliseconds scatter. */
export const MEASURED_SECONDS = 1;

/** How often something is done: so many rounds at least, and new ones until each runner has run for so long itself. */
export interface Enough {
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * Lets runners take turns, one at a time, round after round in rotating order; results of the rounds of warming up are
 * thrown away.
 *
 * @param runners each gives how long it ran, or null for ever once it has failed
 * @returns the results of each runner, one a round
 * @throws what a runner throws.
 */
export async function takeTurns<T extends { readonly wallSeconds: number } | null>(
  runners: readonly (() => Promise<T>)[],
  warmUp: Enough,
  kept: Enough,
  settleMs = SETTLE_MS,
): Promise<T[][]> {
  const results: T[][] = runners.map(() => []);
  let round = 0;
  for (const enough of [warmUp, kept]) {
    const first = round;
    const spent = runners.map(() => 0);
    while (round - first < enough.rounds || Math.min(...spent) < enough.seconds) {
      for (const runner of orderOf(runners.length, round)) {
        await pause(settleMs);
        const result = await runners[runner]!();
        spent[runner]! += result ? result.wallSeconds : Number.POSITIVE_INFINITY;
        if (enough === kept) results[runner]!.push(result);
      }
      round++;
    }
  }
  return results;
}
