import type { Summary } from '../measure/statistics.js';
import type { BenchReport, CaseResult, PeerResult } from '../results.js';
import { drawTable } from './draw-table.js';

/** Processes that ran before anything of ours did. */
const BUSY_LOAD = 0.5;

/** Where the figures of a report come from, as text. */
export function reportHeading(report: BenchReport): string {
  const { machine, threads, startedAt, settings, cases, voids, finished } = report;
  const versions = new Map(
    cases.flatMap(({ peers }) => peers.map(({ peer, versions }) => [peer, versions] as const)),
  );
  const lines = [...versions].map(([peer, found]) => {
    const named = Object.entries(found).map(([name, version]) => `${name} ${version}`);
    return `${peer}: ${named.join(', ')}`;
  });
  const rounds = `${settings.rounds} rounds in turns, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`;
  const busy = cases[0] && cases[0].loadBefore.average[0] > BUSY_LOAD;
  const warning = `BUSY: load ${cases[0]?.loadBefore.average[0].toFixed(2)} before the first case; ratios of a busy machine are no results`;
  return [
    `${machine.processor}, ${machine.cores} cores, ${scaled(machine.memoryBytes, 'B')}, ${machine.system}; ${startedAt}`,
    `${rounds}; ${voids} void`,
    ...lines,
    ...(busy ? [warning] : []),
    ...(finished ? [] : ['UNFINISHED: cases are missing']),
  ].join('\n');
}

/** The table of one case, peers line by line, as text. */
export function caseTable(result: CaseResult): string {
  const { head, rows } = caseCells(result);
  return [caseHeading(result), drawTable(head, rows), ...caseNotes(result)].join('\n');
}

/** What a case is, on how much, and how busy the machine was. */
export function caseHeading(result: CaseResult): string {
  const { suite, shape, title, flops, loadBefore, loadAfter } = result;
  const needed = flops ? `, ${scaled(flops, 'FLOP')} of needed products` : '';
  const amount = result.tokens ? `, ${result.examples} examples of ${result.tokens} tokens together` : '';
  const load = `load ${loadBefore.average[0].toFixed(2)} before, ${loadAfter.average[0].toFixed(2)} after`;
  const heading = [suite, shape, title].filter(Boolean).join(' · ');
  return `${heading}${amount}${needed}; ${load}`;
}

/** Names of the columns that have something to say, and a row a peer. */
export function caseCells(result: CaseResult): { readonly head: string[]; readonly rows: string[][] } {
  const columns = COLUMNS.filter(({ cell }) => result.peers.some((peer) => cell(peer, result) !== ''));
  return {
    head: columns.map(({ name }) => name),
    rows: result.peers.map((peer) => columns.map(({ cell }) => cell(peer, result))),
  };
}

/** Which peers were left out or computed something else, a sentence each. */
export function caseNotes({ peers, skipped = [] }: CaseResult): string[] {
  const left = skipped.map(({ peer, reason }) => `${peer}: ${reason}`);
  return [...left, ...peers.flatMap((peer) => voidSentence(peer) ?? [])];
}

/** Why a comparison says nothing, or null. */
export function voidSentence({ peer, agreement }: PeerResult): string | null {
  if (!agreement || agreement.agrees) return null;
  const show = (values: readonly number[]) =>
    values
      .slice(0, 3)
      .map((value) => `${Number(value.toPrecision(7))}`)
      .join(', ');
  return (
    `VOID: ${peer} computed ${show(agreement.theirs)} where we have ${show(agreement.ours)} ` +
    `(relative difference ${agreement.relativeDifference.toExponential(1)}, allowed ${agreement.tolerance}); it was not timed`
  );
}

interface Column {
  readonly name: string;
  /** Empty where there is nothing to say. */
  cell(peer: PeerResult, result: CaseResult): string;
}

const COLUMNS: readonly Column[] = [
  { name: 'peer', cell: ({ peer }) => peer },
  { name: 'median', cell: ({ seconds }) => (seconds ? duration(seconds.median) : 'void') },
  { name: 'min to max', cell: ({ seconds }) => spread(seconds, duration) },
  {
    name: 'batch made in',
    cell: ({ prepareSeconds }) => (prepareSeconds === null ? '' : duration(prepareSeconds)),
  },
  { name: 'examples/s', cell: ({ seconds }, { examples }) => rate(seconds, examples) },
  { name: 'tokens/s', cell: ({ seconds }, { tokens }) => rate(seconds, tokens) },
  { name: 'GFLOP/s', cell: ({ gflops }) => (gflops === null ? '' : gflops.toFixed(1)) },
  {
    name: 'of GEMM',
    cell: ({ gemmShare }) => (gemmShare === null ? '' : `${(100 * gemmShare).toFixed(0)} %`),
  },
  { name: 'peak', cell: ({ peakBytes }) => (peakBytes === null ? '' : scaled(peakBytes, 'B')) },
  {
    name: 'peak by ours',
    cell: ({ peakBytes }, { peers: [ours] }) =>
      peakBytes && ours?.peakBytes && peakBytes !== ours.peakBytes
        ? `${(peakBytes / ours.peakBytes).toFixed(2)}x`
        : '',
  },
  { name: 'time by ours', cell: ({ ratio }) => (ratio ? `${ratio.median.toFixed(2)}x` : '') },
  {
    name: 'same words',
    cell: ({ agreement }) =>
      agreement?.equalShare === undefined ? '' : `${(100 * agreement.equalShare).toFixed(1)} %`,
  },
  { name: 'its spread', cell: ({ ratio }) => spread(ratio, (value) => value.toFixed(2)) },
];

function spread(summary: Summary | null, show: (value: number) => string): string {
  return summary ? `${show(summary.minimum)} to ${show(summary.maximum)}` : '';
}

function rate(seconds: Summary | null, count: number): string {
  if (!seconds || count === 0) return '';
  const each = count / seconds.median;
  return each >= 100 ? Math.round(each).toLocaleString('en-US') : each.toPrecision(3);
}

/** Seconds, with the unit that fits. */
export function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} us`;
}

const PREFIXES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

function scaled(value: number, unit: string): string {
  const [size, prefix] = PREFIXES.find(([limit]) => value >= limit) ?? [1, ''];
  return `${(value / size).toPrecision(3)} ${prefix}${unit}`;
}
