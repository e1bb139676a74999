import type { Summary } from '../measure/statistics.js';
import type { BenchReport, CaseResult, PeerResult } from '../results.js';
import type { SuiteName } from '../suites/suite.js';
import { decodingSteps } from './decoding-steps.js';
import { markdownTable } from './markdown-table.js';
import { duration } from './table.js';

/** A heading and the lines below it, for each kind of case that a report has: every comparison in one line. */
export function summarySections(report: BenchReport): string[] {
  const of = (...suites: SuiteName[]) => report.cases.filter(({ suite }) => suites.includes(suite));
  const sections: [string, CaseResult[], (cases: readonly CaseResult[]) => string][] = [
    ['Training steps and labels', of('stage1', 'stage2', 'labels'), stepTable],
    ['Decoding', of('decode'), (cases) => `${questionTable(cases)}\n\n${stepsTable(report)}`],
    ['Kernels', of('kernels'), kernelTable],
    ['Scaling', of('scaling'), scalingTable],
  ];
  return sections.flatMap(([name, cases, draw]) =>
    cases.length > 0 ? ['', `### ${name}`, '', draw(cases)] : [],
  );
}

function stepTable(cases: readonly CaseResult[]): string {
  const head = ['shape', 'step', 'peer', 'ours', 'peer', 'time by ours (spread)'];
  const rows = comparisons(cases).map(({ shape, title, ours, peer }) => [
    ...[
      shape ?? '',
      title.replace(/, beside .*$/, ''),
      peer.peer,
      time(ours),
      time(peer),
      spread(peer.ratio),
    ],
    `${rate(ours)}, ${rate(peer)}`,
    `${share(ours)}, ${share(peer)}`,
    ours.peakBytes && peer.peakBytes ? (peer.peakBytes / ours.peakBytes).toFixed(2) : '',
  ]);
  return markdownTable([...head, 'GFLOP/s ours, peer', 'of GEMM ours, peer', 'peak by ours'], rows, 3);
}

function questionTable(cases: readonly CaseResult[]): string {
  const head = ['shape', 'batch', 'what', 'peer', 'ours', 'peer', 'time by ours (spread)'];
  const rows = comparisons(cases).map(({ shape, title, examples, ours, peer }) => {
    const what = title.replace(/, batch \d+$/, '');
    return [shape ?? '', `${examples}`, what, peer.peer, time(ours), time(peer), spread(peer.ratio)];
  });
  return markdownTable(head, rows, 4);
}

/** Milliseconds of all rows of a batch, from differences of medians. */
function stepsTable(report: BenchReport): string {
  const head = ['shape', 'batch', 'who', 'ms a prompt', 'a latent', 'a word', 'a question'];
  const rows = decodingSteps(report).map((row) => [
    ...[row.shape, `${row.batch}`, row.peer],
    ...[row.msPrefill, row.msPerLatent, row.msPerToken, row.msPerQuestion].map(milliseconds),
  ]);
  return markdownTable(head, rows, 3);
}

function kernelTable(cases: readonly CaseResult[]): string {
  const head = ['shape', 'kernel', 'ours, ms', 'composition by ours (least)', 'PyTorch by ours (least)'];
  const rows = cases.map(({ shape, title, peers }) => {
    const of = (name: string) => peers.find(({ peer }) => peer === name)?.ratio;
    const least = (ratio: Summary | null | undefined) =>
      ratio ? `${ratio.median.toFixed(2)} (${ratio.minimum.toFixed(2)})` : '';
    const seconds = peers[0]?.seconds?.median;
    const ours = seconds === undefined ? '' : (1e3 * seconds).toFixed(3);
    return [shape ?? '', title, ours, least(of('composition')), least(of('torch'))];
  });
  return markdownTable(head, rows, 2);
}

/** One line a size: time by token is what scaling is about. */
function scalingTable(cases: readonly CaseResult[]): string {
  const head = [
    'shape',
    'case',
    'what',
    'examples',
    'ours',
    'us a token',
    'GFLOP/s',
    'peak MB',
    'best by ours',
  ];
  const rows = cases.map(({ shape, name, title, examples, tokens, peers }) => {
    const [ours] = peers;
    const best = peers.find(({ peer }) => peer === 'best')?.ratio;
    const perToken = ours?.seconds ? ((1e6 * ours.seconds.median) / tokens).toPrecision(4) : '';
    const megabytes = ours?.peakBytes ? (ours.peakBytes / 1e6).toFixed(0) : '';
    return [
      ...[shape ?? '', name, title, `${examples}`, ours ? time(ours) : '', perToken],
      ...[ours ? rate(ours) : '', megabytes, best ? best.median.toFixed(2) : ''],
    ];
  });
  return markdownTable(head, rows, 3);
}

/** Every peer beside ourselves, case by case. */
function comparisons(cases: readonly CaseResult[]) {
  return cases.flatMap(({ peers: [ours, ...others], ...rest }) =>
    ours ? others.map((peer) => ({ ...rest, ours, peer })) : [],
  );
}

const milliseconds = (ms: number) => (ms >= 100 ? Math.round(ms).toLocaleString('en-US') : ms.toPrecision(3));
const time = ({ seconds }: PeerResult) => (seconds ? duration(seconds.median) : 'void');
const rate = ({ gflops }: PeerResult) => gflops?.toFixed(0) ?? '';
const share = ({ gemmShare }: PeerResult) => (gemmShare === null ? '' : `${(100 * gemmShare).toFixed(0)} %`);
const spread = (ratio: Summary | null) =>
  ratio ? `${ratio.median.toFixed(2)} (${ratio.minimum.toFixed(2)} to ${ratio.maximum.toFixed(2)})` : '';
