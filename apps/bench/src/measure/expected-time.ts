import type { CaseGroup, PeerName } from '../suites/suite.js';
import { type Enough, LONG_CHECK_SECONDS } from './rounds.js';

/** What a core is taken to do in the products of a step, and to read of weights. */
const [FLOPS_A_CORE, BYTES_A_CORE] = [8e10, 5e9];

/** Shortest run of a case with the matrix product after it, and what it takes to start a process and measure its matrix product twice. */
const [SHORTEST_SECONDS, START_SECONDS] = [0.1, 6];

/** Time by ours, as far as a guess needs it. */
const SLOWNESS: Readonly<Partial<Record<PeerName, number>>> = { official: 3, best: 1.3, transformers: 2 };

/** Runs of every peer. */
export interface ExpectedRuns {
  readonly warmUp: Enough;
  readonly measured: Enough;
  readonly threads: number;
}

/**
 * Roughly how long groups take, in seconds: each run's FLOPs, or its bytes where they take longer, at a core's usual
 * rate, never less than a tenth of a second; and the start of each process. A guess to plan by, and no result.
 */
export function expectedSeconds(
  groups: readonly Pick<CaseGroup, 'peers' | 'cases'>[],
  { warmUp, measured, threads }: ExpectedRuns,
): number {
  let seconds = 0;
  for (const { peers, cases } of groups) {
    for (const peer of peers) {
      seconds += START_SECONDS;
      for (const { flops, expected } of cases) {
        const { flops: guessed = 0, bytes = 0, checks = 1 } = expected ?? {};
        const atRate = Math.max((flops ?? guessed) / FLOPS_A_CORE, bytes / BYTES_A_CORE) / threads;
        const once = Math.max(SHORTEST_SECONDS, atRate * (SLOWNESS[peer] ?? 1));
        // as many rounds as fill the time of who is quickest
        const roundsOf = ({ rounds, seconds }: Enough) =>
          Math.max(rounds, seconds / Math.max(SHORTEST_SECONDS / 2, atRate));
        const cold = checks * once * peers.length < LONG_CHECK_SECONDS;
        seconds += (checks + (cold ? roundsOf(warmUp) : 0) + roundsOf(measured)) * once;
      }
    }
  }
  return seconds;
}

/** The same in words. */
export function inMinutes(seconds: number): string {
  if (seconds < 90) return `${Math.max(10, Math.round(seconds / 10) * 10)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
