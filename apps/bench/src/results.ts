import type { Agreement } from './measure/agreement.js';
import type { Load, Machine } from './measure/machine.js';
import type { Summary } from './measure/statistics.js';
import type { TargetResult } from './report/targets.js';
import type { PeerName, Skipped, SuiteName } from './suites/suite.js';

/** What one peer did in one case. */
export interface PeerResult {
  readonly peer: PeerName;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  /** Whether it computed what we did; null for ourselves. */
  readonly agreement: Agreement | null;
  /** Time of one run; null where the comparison is void. */
  readonly seconds: Summary | null;
  /** Every round's time, in the order of the rounds. */
  readonly rounds: readonly number[];
  /** Part of a run that makes the batch, median. */
  readonly prepareSeconds: number | null;
  /** Needed FLOPs by its time. */
  readonly gflops: number | null;
  /** Of the fastest matrix product that any process measured in the same round; the median of the rounds. */
  readonly gemmShare: number | null;
  /** Its own matrix product of 1024 x 1024 right after each run, in GFLOP/s. */
  readonly gemmGflops: Summary | null;
  /** Peak resident memory of its process over the whole group. */
  readonly peakBytes: number | null;
  /** Its time by ours, round by round; null for ourselves and where void. */
  readonly ratio: Summary | null;
}

/** One case. */
export interface CaseResult {
  readonly suite: SuiteName;
  readonly shape: string | null;
  readonly name: string;
  readonly title: string;
  readonly examples: number;
  readonly tokens: number;
  /** Of the products that are needed, as we count them. */
  readonly flops: number | null;
  readonly loadBefore: Load;
  readonly loadAfter: Load;
  readonly peers: readonly PeerResult[];
  /** Peers that were left out, and why. */
  readonly skipped?: readonly Skipped[] | undefined;
}

/** A whole run of the bench. */
export interface BenchReport {
  readonly form: 2;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly threads: number;
  readonly warmUps: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly cases: readonly CaseResult[];
  /** False where cases are still to come. */
  readonly finished: boolean;
  /** Comparisons that say nothing, since a peer computed something else. */
  readonly voids: number;
  /** What this project sets out to reach, and what the run measured of it. */
  readonly targets: readonly TargetResult[];
}
