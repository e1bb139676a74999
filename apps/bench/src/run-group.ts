import { type Agreement, agreementOf, nearnessOf } from './measure/agreement.js';
import { load } from './measure/machine.js';
import { type Enough, LONG_CHECK_SECONDS, takeTurns } from './measure/rounds.js';
import { pairedRatios, summarise } from './measure/statistics.js';
import { GroupMember } from './process/group-member.js';
import {
  checkedSchema,
  gemmSchema,
  memorySchema,
  openedSchema,
  type Ran,
  ranSchema,
} from './process/messages.js';
import { type PeerCommand, PeerProcess } from './process/peer-process.js';
import type { CaseResult, PeerResult } from './results.js';
import type { BenchCase, CaseGroup, PeerName, Skipped } from './suites/suite.js';

export interface GroupSettings {
  readonly warmUp: Enough;
  readonly measured: Enough;
  readonly threads: number;
  readonly backend: string;
  command(peer: PeerName): PeerCommand;
  onProgress?(sentence: string): void;
}

/** One run, and the matrix product of its process right after it, in GFLOP/s. */
interface Run extends Ran {
  readonly gemm: number | null;
  /** From asking for the run to its answer; a short kernel runs often in that time. */
  readonly wallSeconds: number;
}

/** What is known of a case before its group is over. */
interface Measured {
  readonly testCase: BenchCase;
  readonly flops: number | null;
  readonly before: CaseResult['loadBefore'];
  readonly after: CaseResult['loadAfter'];
  readonly agreements: ReadonlyMap<PeerName, Agreement | null>;
  /** Runs by peer; none where void, nothing where it failed. */
  readonly runs: ReadonlyMap<PeerName, readonly Run[]>;
  readonly failed: readonly Skipped[];
}

/**
 * Runs a group of cases: starts its peers side by side, compares what they compute, and times them in turns. The first
 * peer is the one that others are compared with; another that fails is left out from then on, and the case says why.
 *
 * @throws if the first peer fails; what it said is in the message.
 */
export async function runGroup(group: CaseGroup, settings: GroupSettings): Promise<CaseResult[]> {
  const members = group.peers.map(
    (name, i) => new GroupMember(name, new PeerProcess(name, settings.command(name)), i === 0),
  );
  try {
    for (const member of members) {
      const { threads, backend } = settings;
      const params = { ...group.params, peer: member.name, threads, backend };
      member.opened = await member.ask('open', openedSchema, params);
    }
    const measured: Measured[] = [];
    for (const testCase of group.cases) measured.push(await runCase(testCase, group.near, members, settings));
    const peaks = new Map<PeerName, number | null>();
    for (const member of members) {
      peaks.set(member.name, (await member.ask('memory', memorySchema))?.peakBytes ?? null);
    }
    return measured.map((one) => {
      const skipped = [...(group.skipped ?? []), ...one.failed];
      return {
        suite: group.suite,
        shape: group.shape,
        name: one.testCase.name,
        title: one.testCase.title,
        examples: one.testCase.examples,
        tokens: one.testCase.tokens,
        flops: one.flops,
        loadBefore: one.before,
        loadAfter: one.after,
        ...(skipped.length > 0 && { skipped }),
        peers: members
          .filter(({ name }) => one.runs.has(name))
          .map(({ name, opened }) => ({
            peer: name,
            versions: opened!.versions,
            threads: opened!.threads,
            ...timesOf(one, name, group.peers[0]!),
            peakBytes: peaks.get(name)!,
          })),
      };
    });
  } finally {
    await Promise.all(members.map(({ process }) => process.close()));
  }
}

async function runCase(
  testCase: BenchCase,
  near: readonly PeerName[] = [],
  members: readonly GroupMember[],
  { warmUp, measured, onProgress }: GroupSettings,
): Promise<Measured> {
  const before = load();
  const params = { case: testCase.asked ?? testCase.name };
  let ours: number[] | null = null;
  const begin = performance.now();
  const agreements = new Map<PeerName, Agreement | null>();
  for (const member of members) {
    const checked = await member.ask('check', checkedSchema, params);
    if (!checked) continue;
    const compare = () =>
      near.includes(member.name)
        ? nearnessOf(ours!, checked.values)
        : agreementOf(ours!, checked.values, testCase.tolerance);
    agreements.set(member.name, ours ? compare() : null);
    ours ??= checked.values;
  }
  const valid = members.filter(({ name }) => agreements.has(name) && (agreements.get(name)?.agrees ?? true));
  const cold = performance.now() - begin < 1000 * LONG_CHECK_SECONDS;
  onProgress?.(`${testCase.title}: ${valid.map(({ name }) => name).join(', ')} in turns`);
  const runners = valid.map((member) => () => runOnce(member, testCase, params));
  const results = await takeTurns(runners, cold ? warmUp : { rounds: 0, seconds: 0 }, measured);
  const runs = new Map<PeerName, readonly Run[]>();
  for (const { name, failure } of members) if (failure === null) runs.set(name, []);
  for (const [i, { name }] of valid.entries()) {
    if (runs.has(name))
      runs.set(
        name,
        results[i]!.flatMap((ran) => ran ?? []),
      );
  }
  const failed = members.flatMap(({ name, failure }) =>
    failure === null ? [] : [{ peer: name, reason: `failed: ${failure}` }],
  );
  const flops = testCase.flops ?? runs.get(members[0]!.name)![0]?.flops ?? null;
  return { testCase, flops, before, after: load(), agreements, runs, failed };
}

/** How long a matrix product is measured after a run: short where runs are many. */
const gemmSeconds = (run: number) => (run < 1 ? 0.06 : 0.4);

/** A run, and where its products are counted, what a large one takes at that time. */
async function runOnce(
  member: GroupMember,
  { flops }: BenchCase,
  params: Readonly<Record<string, unknown>>,
): Promise<Run | null> {
  const begin = performance.now();
  const ran = await member.ask('run', ranSchema, params);
  if (!ran) return null;
  const wallSeconds = (performance.now() - begin) / 1000;
  const counted = ran.flops ?? flops;
  const gemm =
    counted === null ? null : await member.ask('gemm', gemmSchema, { seconds: gemmSeconds(wallSeconds) });
  return { ...ran, gemm: gemm?.gflops ?? null, wallSeconds };
}

/** The fastest matrix product of each round, whoever did it. */
function fastestProducts(runs: Measured['runs']): (number | null)[] {
  const all = [...runs.values()].filter((of) => of.length > 0);
  return all[0]!.map((_, round) => {
    const speeds = all.flatMap((of) => of[round]?.gemm ?? []);
    return speeds.length > 0 ? Math.max(...speeds) : null;
  });
}

function timesOf(
  { flops, agreements, runs }: Measured,
  peer: PeerName,
  first: PeerName,
): Omit<PeerResult, 'peer' | 'versions' | 'threads' | 'peakBytes'> {
  const agreement = agreements.get(peer)!;
  const rounds = runs.get(peer)!.map(({ seconds }) => seconds);
  if (rounds.length === 0) {
    const nothing = { seconds: null, prepareSeconds: null, gflops: null, ratio: null };
    return { agreement, rounds, ...nothing, gemmShare: null, gemmGflops: null };
  }
  const seconds = summarise(rounds);
  const prepared = runs.get(peer)!.flatMap(({ prepareSeconds }) => prepareSeconds ?? []);
  const ours = runs.get(first)!.map((run) => run.seconds);
  const products = runs.get(peer)!.flatMap(({ gemm }) => gemm ?? []);
  const shares = fastestProducts(runs).flatMap((fastest, round) =>
    flops && fastest ? flops / rounds[round]! / (fastest * 1e9) : [],
  );
  return {
    agreement,
    rounds,
    seconds,
    prepareSeconds: prepared.length > 0 ? summarise(prepared).median : null,
    gflops: flops && flops / seconds.median / 1e9,
    gemmShare: shares.length > 0 ? summarise(shares).median : null,
    gemmGflops: products.length > 0 ? summarise(products) : null,
    ratio: peer === first ? null : summarise(pairedRatios(ours, rounds)),
  };
}
