import type { BenchReport, CaseResult } from '../results.js';
import { decodingSteps } from './decoding-steps.js';
import { caseCells, caseHeading, caseNotes, reportHeading } from './table.js';
import { TARGET_HEAD, targetCells } from './targets.js';

/** A whole report as Markdown: where it comes from, decoding step by step, a table a case, and the targets. */
export function markdownReport(report: BenchReport): string {
  const suites = [...new Set(report.cases.map(({ suite }) => suite))];
  return [
    ...reportHeading(report)
      .split('\n')
      .map((line) => `- ${line}`),
    ...suites.flatMap((suite) => ['', `### ${suite}`, ...suiteParts(report, suite)]),
    '',
    '### targets',
    '',
    table(TARGET_HEAD, targetCells(report.targets)),
    '',
  ].join('\n');
}

function suiteParts(report: BenchReport, suite: CaseResult['suite']): string[] {
  const cases = report.cases.filter((one) => one.suite === suite);
  const tables = cases.flatMap((one) => {
    const { head, rows } = caseCells(one);
    const notes = caseNotes(one).map((note) => `- ${note}`);
    return [
      '',
      `**${caseHeading(one)}**`,
      '',
      table(head, rows),
      ...(notes.length > 0 ? ['', ...notes] : []),
    ];
  });
  if (suite === 'decode') {
    const head = ['shape', 'batch', 'peer', 'prompt', 'ms a latent', 'ms a word', 'ms a question'];
    const rows = decodingSteps(report).map((row) => [
      ...[row.shape, `${row.batch}`, row.peer],
      ...[row.msPrefill, row.msPerLatent, row.msPerToken, row.msPerQuestion].map((ms) => ms.toPrecision(3)),
    ]);
    return rows.length > 0 ? ['', table(head, rows), ...tables] : tables;
  }
  if (suite === 'scaling') return ['', table(['case', ...SCALING_HEAD], cases.map(scalingRow)), ...tables];
  return tables;
}

const SCALING_HEAD = ['shape', 'us a token', 'GFLOP/s', 'peak MB', 'best by ours'];

/** One line a size: time by token is what scaling is about. */
function scalingRow({ name, shape, tokens, peers }: CaseResult): string[] {
  const [ours, best] = peers;
  const perToken = ours?.seconds ? (1e6 * ours.seconds.median) / tokens : Number.NaN;
  return [
    name,
    shape ?? '',
    perToken.toPrecision(3),
    ours?.gflops?.toFixed(1) ?? '',
    ours?.peakBytes ? (ours.peakBytes / 1e6).toFixed(0) : '',
    best?.ratio ? `${best.ratio.median.toFixed(2)}x` : '',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
