import { pairedRatios, summarise } from '../measure/statistics.js';
import type { BenchReport, CaseResult, PeerResult } from '../results.js';
import type { ShapeName } from '../shapes/shape.js';
import type { PeerName } from '../suites/suite.js';
import { drawTable } from './draw-table.js';

/** What this project sets out to reach, and what a run measured of it. */
export interface TargetResult {
  readonly name: string;
  readonly bound: 'at least' | 'at most';
  readonly target: number;
  /** Null where the run did not measure it. */
  readonly measured: number | null;
  readonly met: boolean | null;
  /** Where the number comes from, if not from the name. */
  readonly note?: string;
}

interface Measured {
  readonly value: number;
  readonly note?: string;
}

interface Target {
  readonly name: string;
  readonly bound: TargetResult['bound'];
  readonly target: number;
  measure(cases: readonly CaseResult[]): Measured | null;
}

const FORMATS = ['bfloat16', 'int8'] as const;
const BATCHES = [1, 32] as const;
const SHAPES = ['demo', 'smollm2'] as const;
const PHASES = [
  ['stage1', 'union'],
  ['stage2', 'student'],
] as const;

/** Every target; ratios are a peer's time by ours. */
const TARGETS: readonly Target[] = [
  ...PHASES.flatMap(([suite, phase]) =>
    (
      [
        ['official', 2.5],
        ['best', 1.3],
      ] as const
    ).map(([peer, target]) =>
      atLeast(target, `${phase} step, smollm2, ${peer} by ours`, (cases) =>
        ratio(namedCases(cases, suite, 'smollm2', phase), peer),
      ),
    ),
  ),
  atLeast(0.8, 'union step, smollm2, share of GEMM', (cases) =>
    firstOf(namedCases(cases, 'stage1', 'smollm2', 'union'), ([ours]) => ours?.gemmShare),
  ),
  ...PHASES.map(([suite, phase]) =>
    atLeast(2, `${phase} step, demo, tokens/s, official by ours`, (cases) =>
      ratio(namedCases(cases, suite, 'demo', phase), 'official'),
    ),
  ),
  ...SHAPES.map((shape) =>
    atMost(1.3, `time a token, ${shape}, chain 4096 by 128`, (cases) => {
      const perToken = (name: string) =>
        firstOf(
          namedCases(cases, 'scaling', shape, name),
          ([ours], { tokens }) => ours?.seconds && ours.seconds.median / tokens,
        );
      const [long, short] = [perToken('chain-4096'), perToken('chain-128')];
      return long && short && { value: long.value / short.value };
    }),
  ),
  atMost(0.5, 'peak memory, union step, smollm2, ours by official', (cases) =>
    firstOf(namedCases(cases, 'stage1', 'smollm2', 'union'), (peers) => {
      const [ours, official] = [peers[0]?.peakBytes, named(peers, 'official')?.peakBytes];
      return ours && official && ours / official;
    }),
  ),
  ...BATCHES.flatMap((batch) => {
    const questions = (cases: readonly CaseResult[]) =>
      namedCases(cases, 'decode', 'smollm2', 'question').filter(({ examples }) => examples === batch);
    const name = `question, smollm2, batch ${batch}, transformers by ours`;
    return [
      atLeast(1.5, `${name}, float32`, (cases) => ratio(questions(cases), 'transformers')),
      ...FORMATS.map((format) =>
        atLeast(2.5, `${name}, ${format}`, (cases) =>
          firstOf(questions(cases), (peers) => {
            const [own, theirs] = [named(peers, format), named(peers, 'transformers')];
            if (!own?.seconds || !theirs?.seconds) return null;
            return summarise(pairedRatios(own.rounds, theirs.rounds)).median;
          }),
        ),
      ),
    ];
  }),
  atLeast(1, 'slowest kernel, composition by fused', (cases) => {
    const ratios = cases
      .filter(({ suite }) => suite === 'kernels')
      .flatMap(({ shape, title, peers }) => {
        const median = named(peers, 'composition')?.ratio?.median;
        return median ? [{ value: median, note: `${shape} · ${title}` }] : [];
      });
    const slower = ratios.filter(({ value }) => value < 1).length;
    const [slowest] = ratios.sort((a, b) => a.value - b.value);
    return slowest ? { ...slowest, note: `${slowest.note}; ${slower} of ${ratios.length} below 1` } : null;
  }),
];

/**
 * Every target with what a run measured of it. A run with fewer layers than a shape has measured another model:
 * it says something of kernels alone.
 */
export function reportTargets({ cases, settings }: Pick<BenchReport, 'cases' | 'settings'>): TargetResult[] {
  const whole = settings.layers === undefined;
  const measurable = cases.filter(({ suite }) => whole || suite === 'kernels');
  return TARGETS.map(({ name, bound, target, measure }) => {
    const measured = measure(measurable);
    if (!measured) return { name, bound, target, measured: null, met: null };
    const { value, note } = measured;
    const met = bound === 'at least' ? value >= target : value <= target;
    return { name, bound, target, measured: value, met, ...(note && { note }) };
  });
}

export const TARGET_HEAD = ['target', 'wanted', 'measured', 'met', 'where'] as const;

/** A row a target: what is wanted, what was measured, and whether that is met. */
export function targetCells(targets: readonly TargetResult[]): string[][] {
  return targets.map(({ name, bound, target, measured, met, note }) => {
    const share = name.includes('share');
    const show = (value: number) => (share ? `${(100 * value).toFixed(0)} %` : `${value.toFixed(2)}x`);
    return [
      name,
      `${bound === 'at least' ? '>=' : '<='} ${share ? show(target) : `${target}x`}`,
      measured === null ? 'not measured' : show(measured),
      met === null ? '' : met ? 'met' : 'NOT MET',
      note ?? '',
    ];
  });
}

/** The same as text. */
export function targetTable(targets: readonly TargetResult[]): string {
  return drawTable(TARGET_HEAD, targetCells(targets));
}

function atLeast(target: number, name: string, measure: Target['measure']): Target {
  return { name, bound: 'at least', target, measure };
}

function atMost(target: number, name: string, measure: Target['measure']): Target {
  return { name, bound: 'at most', target, measure };
}

/** Cases of a name; several where peers did not fit side by side. */
function namedCases(
  cases: readonly CaseResult[],
  suite: CaseResult['suite'],
  shape: ShapeName,
  name: string,
): readonly CaseResult[] {
  return cases.filter((one) => one.suite === suite && one.shape === shape && one.name === name);
}

function named(peers: readonly PeerResult[], name: PeerName): PeerResult | undefined {
  return peers.find(({ peer }) => peer === name);
}

/** The first number that one of the cases has. */
function firstOf(
  cases: readonly CaseResult[],
  of: (peers: readonly PeerResult[], result: CaseResult) => number | null | undefined,
): Measured | null {
  for (const result of cases) {
    const value = of(result.peers, result);
    if (value) return { value };
  }
  return null;
}

function ratio(cases: readonly CaseResult[], peer: PeerName): Measured | null {
  return firstOf(cases, (peers) => named(peers, peer)?.ratio?.median);
}
