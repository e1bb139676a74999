import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BenchReport, markdownReport } from '../src/index.js';

const report = JSON.parse(
  readFileSync(new URL('fixtures/bench.json', import.meta.url), 'utf8'),
) as BenchReport;
const [first] = report.cases;

/** Lines of a report, spaces of a cell's width left out. */
const linesOf = (of: BenchReport) =>
  markdownReport(of)
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' '));

describe('markdownReport', () => {
  it('has the machine, the targets, and every comparison in a line', () => {
    const lines = linesOf(report);
    expect(lines).toContain('| union step, demo, tokens/s, official by ours | >= 2x | 2.50x | met | |');
    const place = (line: string) => lines.indexOf(line);
    expect(place('### Targets')).toBeGreaterThan(0);
    expect(place('### Training steps and labels')).toBeGreaterThan(place('### Targets'));
    expect(lines.filter((line) => /^\| demo \| .*\| official \|.* 2\.50 \(/.test(line))).toHaveLength(1);
  });

  it('has a table a case, after a heading a suite', () => {
    const text = markdownReport(report);
    expect(text).toContain('### Cases of stage1');
    expect(text).toMatch(/^\| peer +\| +median \|/m);
    expect(text).toMatch(/^\| official +\|.* 2\.50x \|/m);
  });

  it('has kernels beside both peers, and chains by token', () => {
    const [ours, other] = first!.peers;
    const seconds = { ...ours!.seconds!, median: 0.002 };
    const ratio = { ...other!.ratio!, median: 3, minimum: 2 };
    const peers = [
      { ...ours!, seconds },
      { ...other!, peer: 'composition' as const, ratio },
    ];
    const kernel = { ...first!, suite: 'kernels' as const, title: 'swiglu, 8 rows', peers };
    const chain = { ...first!, suite: 'scaling' as const, name: 'chain-128', tokens: 1000, peers };
    const lines = linesOf({ ...report, cases: [kernel, chain] });
    expect(lines).toContain('| demo | swiglu, 8 rows | 2.000 | 3.00 (2.00) | |');
    expect(lines.find((line) => line.startsWith('| demo | chain-128 |'))).toContain('| 2.00 ms | 2.000 |');
  });

  it('says which peers were left out', () => {
    const skipped = [{ peer: 'best' as const, reason: 'not run beyond 2048' }];
    const text = markdownReport({ ...report, cases: [{ ...first!, skipped }] });
    expect(text).toContain('- best: not run beyond 2048');
  });

  it('says that cases are missing where they are', () => {
    expect(markdownReport(report)).not.toContain('UNFINISHED');
    expect(markdownReport({ ...report, finished: false })).toContain('UNFINISHED: cases are missing');
  });
});
