import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { earlierLabelCosts } from '../src/pipeline/label-costs.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'label-costs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const costs = { seconds: 3, stepSeconds: 2, tokens: 100, flops: 5e6, validationFlops: 0, peakRssBytes: 7 };
const start = { type: 'stage', stage: 'labels', action: 'start' };
const resume = { type: 'stage', stage: 'labels', action: 'resume' };
const chunk = (rows: number, flops: number) => ({ type: 'labels', stage: 'labels', rows, ...costs, flops });

it.each([
  ['nothing', [], null],
  ['no finished chunk', [start, resume], null],
  ['its last chunk', [start, chunk(1024, 1), chunk(2048, 2), resume], { ...costs, flops: 2 }],
  ['all parts', [start, chunk(1024, 1), resume, chunk(2048, 3), resume], { ...costs, flops: 3 }],
  ['no chunk of labels that were made anew', [start, chunk(1024, 1), start, resume], null],
])('labels that were stopped have cost what the log tells of %s', (_title, events, found) => {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(join(folder, 'events.jsonl'), lines.join(''));
  expect(earlierLabelCosts(folder)).toEqual(found);
});
