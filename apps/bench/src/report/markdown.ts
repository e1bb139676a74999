import type { BenchReport, CaseResult } from '../results.js';
import { markdownTable } from './markdown-table.js';
import { summarySections } from './summary.js';
import { caseCells, caseHeading, caseNotes, reportHeading } from './table.js';
import { TARGET_HEAD, targetCells } from './targets.js';

/** A whole report as Markdown: where it comes from, the targets, every comparison in a line, and a table a case. */
export function markdownReport(report: BenchReport): string {
  const suites = [...new Set(report.cases.map(({ suite }) => suite))];
  return [
    ...reportHeading(report)
      .split('\n')
      .map((line) => `- ${line}`),
    ...['', '### Targets', '', markdownTable(TARGET_HEAD, targetCells(report.targets))],
    ...summarySections(report),
    ...suites.flatMap((suite) => ['', `### Cases of ${suite}`, ...caseParts(report, suite)]),
    '',
  ].join('\n');
}

function caseParts(report: BenchReport, suite: CaseResult['suite']): string[] {
  return report.cases
    .filter((one) => one.suite === suite)
    .flatMap((one) => {
      const { head, rows } = caseCells(one);
      const notes = caseNotes(one).map((note) => `- ${note}`);
      const after = notes.length > 0 ? ['', ...notes] : [];
      return ['', `**${caseHeading(one)}**`, '', markdownTable(head, rows), ...after];
    });
}
