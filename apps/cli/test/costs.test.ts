import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { drawStageCosts, withPrefix } from '../src/output/costs.js';
import { stageSummaries } from '../src/stage-summaries.js';

const folder = mkdtempSync(join(tmpdir(), 'costs-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  [0, '0 FLOP'],
  [0.5, '0.500 FLOP'],
  [999, '999 FLOP'],
  [1234, '1.23 kFLOP'],
  [9_999_400, '10.0 MFLOP'],
  [999_999_999, '1.00 GFLOP'],
  [123.4e9, '123 GFLOP'],
  [5.6e12, '5.60 TFLOP'],
  [3e18, '3000 PFLOP'],
])('withPrefix(%d) is %s', (amount, words) => {
  expect(withPrefix(amount, 'FLOP')).toBe(words);
});

describe('drawStageCosts', () => {
  it('draws what the events of a run tell, the newest of each stage', () => {
    const costs = { stepSeconds: 2, tokens: 6000, flops: 3e12, validationFlops: 5e11, peakRssBytes: 1.5e9 };
    const events = [
      { type: 'stage-done', stage: 'cot', steps: 1, seconds: 1, ...costs },
      { type: 'stage-done', stage: 'cot', steps: 8, seconds: 4, ...costs },
      { type: 'stage-done', stage: 'labels', rows: 220, seconds: 6, ...costs, validationFlops: 0 },
    ];
    writeFileSync(join(folder, 'events.jsonl'), `${events.map((one) => JSON.stringify(one)).join('\n')}\n`);
    const stages = stageSummaries(folder);
    expect(stages[0]).toMatchObject({ steps: 8, tokensPerSecond: 3000, gflopsPerSecond: 1500 });
    expect(drawStageCosts(stages).split('\n').slice(0, 6)).toEqual([
      'stage       work  seconds  in steps  tokens/s   FLOPs  FLOP/s  peak memory',
      '------  --------  -------  --------  --------  ------  ------  -----------',
      'cot      8 steps      4.0       2.0      3000  3.00 T  1.50 T      1.50 GB',
      'labels  220 rows      6.0       2.0      3000  3.00 T  1.50 T      1.50 GB',
      'all                  10.0       4.0            6.00 T',
      'Tokens and FLOPs: of the steps, forward and backward, or of the labelling. Seconds: of loading and',
    ]);
  });

  it('leaves open what an older run did not write down', () => {
    const line = JSON.stringify({ type: 'stage-done', stage: 'cot', seconds: 4.2, rssBytes: 5 });
    writeFileSync(join(folder, 'events.jsonl'), `${line}\n`);
    expect(stageSummaries(folder)).toEqual([{ stage: 'cot', seconds: 4.2 }]);
    expect(drawStageCosts(stageSummaries(folder))).toMatch(/^cot +\? +4\.2 +\? +\? +\? +\? +\?$/m);
  });
});
