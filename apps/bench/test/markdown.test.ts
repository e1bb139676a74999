import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BenchReport, markdownReport } from '../src/index.js';

const report = JSON.parse(
  readFileSync(new URL('fixtures/bench.json', import.meta.url), 'utf8'),
) as BenchReport;

describe('markdownReport', () => {
  it('has the machine, a heading a suite, and a table a case', () => {
    const text = markdownReport(report);
    expect(text).toContain('### stage1');
    expect(text).toMatch(/^\| peer \| median \|/m);
    expect(text).toMatch(/^\| official \|.* 2\.50x \|/m);
  });

  it('ends with the targets', () => {
    expect(markdownReport(report)).toMatch(
      /### targets\n\n.*\n.*\n\| union step, demo, tokens\/s, official by ours \| >= 2x \| 2\.50x \| met \| {2}\|\n$/,
    );
  });

  it('says which peers were left out', () => {
    const [first] = report.cases;
    const skipped = [{ peer: 'best' as const, reason: 'not run beyond 2048' }];
    const text = markdownReport({ ...report, cases: [{ ...first!, skipped }] });
    expect(text).toContain('- best: not run beyond 2048');
  });

  it('says that cases are missing where they are', () => {
    expect(markdownReport(report)).not.toContain('UNFINISHED');
    expect(markdownReport({ ...report, finished: false })).toContain('UNFINISHED: cases are missing');
  });
});
