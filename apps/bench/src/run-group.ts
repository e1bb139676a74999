import { type Agreement, agreementOf, nearnessOf } from './measure/agreement.js';
import { load } from './measure/machine.js';
import { takeTurns } from './measure/rounds.js';
import { pairedRatios, summarise } from './measure/statistics.js';
import {
  checkedSchema,
  gemmSchema,
  memorySchema,
  type Opened,
  openedSchema,
  type Ran,
  ranSchema,
} from './process/messages.js';
import { type PeerCommand, PeerProcess } from './process/peer-process.js';
import type { CaseResult, PeerResult } from './results.js';
import type { BenchCase, CaseGroup, PeerName } from './suites/suite.js';

export interface GroupSettings {
  readonly rounds: number;
  readonly warmUps: number;
  readonly threads: number;
  readonly backend: string;
  command(peer: PeerName): PeerCommand;
  onProgress?(sentence: string): void;
}

interface Running {
  readonly name: PeerName;
  readonly process: PeerProcess;
  readonly opened: Opened;
}

/** What is known of a case before its group is over. */
interface Measured {
  readonly testCase: BenchCase;
  readonly flops: number | null;
  readonly before: CaseResult['loadBefore'];
  readonly after: CaseResult['loadAfter'];
  readonly agreements: readonly (Agreement | null)[];
  /** Runs by peer; none where void. */
  readonly runs: readonly (readonly Ran[])[];
}

/**
 * Runs a group of cases: starts its peers side by side, compares what they compute, and times them in turns. The first
 * peer is the one that others are compared with.
 *
 * @throws if a peer fails; what it said is in the message.
 */
export async function runGroup(group: CaseGroup, settings: GroupSettings): Promise<CaseResult[]> {
  const started = group.peers.map((name) => new PeerProcess(name, settings.command(name)));
  try {
    const running: Running[] = [];
    for (const [i, process] of started.entries()) {
      const peer = group.peers[i]!;
      const params = { ...group.params, peer, threads: settings.threads, backend: settings.backend };
      running.push({ name: peer, process, opened: await process.ask('open', openedSchema, params) });
    }
    const gemmBefore = await gemmOf(running);
    const measured: Measured[] = [];
    for (const testCase of group.cases) measured.push(await runCase(testCase, group.near, running, settings));
    const gemmAfter = await gemmOf(running);
    const peaks: (number | null)[] = [];
    for (const { process } of running) peaks.push((await process.ask('memory', memorySchema)).peakBytes);
    const fastest = Math.max(...[...gemmBefore, ...gemmAfter].flatMap((speed) => speed ?? []));
    return measured.map((one) => ({
      suite: group.suite,
      shape: group.shape,
      name: one.testCase.name,
      title: one.testCase.title,
      examples: one.testCase.examples,
      tokens: one.testCase.tokens,
      flops: one.flops,
      loadBefore: one.before,
      loadAfter: one.after,
      ...(group.skipped?.length && { skipped: group.skipped }),
      peers: running.map(({ name, opened }, i) => ({
        peer: name,
        versions: opened.versions,
        threads: opened.threads,
        ...timesOf(one, i, fastest),
        gemmGflops: pairOf(gemmBefore[i]!, gemmAfter[i]!),
        peakBytes: peaks[i]!,
      })),
    }));
  } finally {
    await Promise.all(started.map((process) => process.close()));
  }
}

async function runCase(
  testCase: BenchCase,
  near: readonly PeerName[] = [],
  running: readonly Running[],
  { rounds, warmUps, onProgress }: GroupSettings,
): Promise<Measured> {
  const before = load();
  const params = { case: testCase.asked ?? testCase.name };
  const values: number[][] = [];
  for (const { process } of running) values.push((await process.ask('check', checkedSchema, params)).values);
  const [ours] = values as [number[]];
  const agreements = values.map((own, i) => {
    if (i === 0) return null;
    return near.includes(running[i]!.name)
      ? nearnessOf(ours, own)
      : agreementOf(ours, own, testCase.tolerance);
  });
  const valid = running.filter((_, i) => agreements[i]?.agrees ?? true);
  onProgress?.(`${testCase.title}: ${valid.map(({ name }) => name).join(', ')} in turns`);
  const runners = valid.map(
    ({ process }) =>
      () =>
        process.ask('run', ranSchema, params),
  );
  const results = await takeTurns(runners, rounds, warmUps);
  const runs = running.map((one) => results[valid.indexOf(one)] ?? []);
  const flops = testCase.flops ?? runs[0]![0]?.flops ?? null;
  return { testCase, flops, before, after: load(), agreements, runs };
}

function timesOf(
  { flops, agreements, runs }: Measured,
  peer: number,
  gemmGflops: number,
): Omit<PeerResult, 'peer' | 'versions' | 'threads' | 'gemmGflops' | 'peakBytes'> {
  const agreement = agreements[peer]!;
  const rounds = runs[peer]!.map(({ seconds }) => seconds);
  if (rounds.length === 0) {
    const nothing = { seconds: null, prepareSeconds: null, gflops: null, gemmShare: null, ratio: null };
    return { agreement, rounds, ...nothing };
  }
  const seconds = summarise(rounds);
  const prepared = runs[peer]!.flatMap(({ prepareSeconds }) => prepareSeconds ?? []);
  const gflops = flops && flops / seconds.median / 1e9;
  const ours = runs[0]!.map((run) => run.seconds);
  return {
    agreement,
    rounds,
    seconds,
    prepareSeconds: prepared.length > 0 ? summarise(prepared).median : null,
    gflops,
    gemmShare: gflops && gflops / gemmGflops,
    ratio: peer === 0 ? null : summarise(pairedRatios(ours, rounds)),
  };
}

function pairOf(before: number | null, after: number | null): readonly [number, number] | null {
  return before !== null && after !== null ? [before, after] : null;
}

async function gemmOf(running: readonly Running[]): Promise<(number | null)[]> {
  const speeds: (number | null)[] = [];
  for (const { process } of running) speeds.push((await process.ask('gemm', gemmSchema)).gflops);
  return speeds;
}
