import { type Agreement, agreementOf, nearnessOf } from './measure/agreement.js';
import { load } from './measure/machine.js';
import { takeTurns } from './measure/rounds.js';
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
  readonly rounds: number;
  readonly warmUps: number;
  /** Further warm-ups begin until so much time of a case has gone by. */
  readonly warmSeconds: number;
  readonly threads: number;
  readonly backend: string;
  command(peer: PeerName): PeerCommand;
  onProgress?(sentence: string): void;
}

/** What is known of a case before its group is over. */
interface Measured {
  readonly testCase: BenchCase;
  readonly flops: number | null;
  readonly before: CaseResult['loadBefore'];
  readonly after: CaseResult['loadAfter'];
  readonly agreements: ReadonlyMap<PeerName, Agreement | null>;
  /** Runs by peer; none where void, nothing where it failed. */
  readonly runs: ReadonlyMap<PeerName, readonly Ran[]>;
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
    const gemmBefore = await gemmOf(members);
    const measured: Measured[] = [];
    for (const testCase of group.cases) measured.push(await runCase(testCase, group.near, members, settings));
    const gemmAfter = await gemmOf(members);
    const peaks = new Map<PeerName, number | null>();
    for (const member of members) {
      peaks.set(member.name, (await member.ask('memory', memorySchema))?.peakBytes ?? null);
    }
    const fastest = Math.max(
      ...[...gemmBefore.values(), ...gemmAfter.values()].flatMap((speed) => speed ?? []),
    );
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
            ...timesOf(one, name, group.peers[0]!, fastest),
            gemmGflops: pairOf(gemmBefore.get(name)!, gemmAfter.get(name)!),
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
  { rounds, warmUps, warmSeconds, onProgress }: GroupSettings,
): Promise<Measured> {
  const before = load();
  const params = { case: testCase.asked ?? testCase.name };
  let ours: number[] | null = null;
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
  onProgress?.(`${testCase.title}: ${valid.map(({ name }) => name).join(', ')} in turns`);
  const runners = valid.map((member) => () => member.ask('run', ranSchema, params));
  const results = await takeTurns(runners, rounds, { rounds: warmUps, seconds: warmSeconds });
  const runs = new Map<PeerName, readonly Ran[]>();
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

function timesOf(
  { flops, agreements, runs }: Measured,
  peer: PeerName,
  first: PeerName,
  gemmGflops: number,
): Omit<PeerResult, 'peer' | 'versions' | 'threads' | 'gemmGflops' | 'peakBytes'> {
  const agreement = agreements.get(peer)!;
  const rounds = runs.get(peer)!.map(({ seconds }) => seconds);
  if (rounds.length === 0) {
    const nothing = { seconds: null, prepareSeconds: null, gflops: null, gemmShare: null, ratio: null };
    return { agreement, rounds, ...nothing };
  }
  const seconds = summarise(rounds);
  const prepared = runs.get(peer)!.flatMap(({ prepareSeconds }) => prepareSeconds ?? []);
  const gflops = flops && flops / seconds.median / 1e9;
  const ours = runs.get(first)!.map((run) => run.seconds);
  return {
    agreement,
    rounds,
    seconds,
    prepareSeconds: prepared.length > 0 ? summarise(prepared).median : null,
    gflops,
    gemmShare: gflops && gflops / gemmGflops,
    ratio: peer === first ? null : summarise(pairedRatios(ours, rounds)),
  };
}

function pairOf(before: number | null, after: number | null): readonly [number, number] | null {
  return before !== null && after !== null ? [before, after] : null;
}

async function gemmOf(members: readonly GroupMember[]): Promise<Map<PeerName, number | null>> {
  const speeds = new Map<PeerName, number | null>();
  for (const member of members) {
    speeds.set(member.name, (await member.ask('gemm', gemmSchema))?.gflops ?? null);
  }
  return speeds;
}
