import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type InspectionOptions, inspectRecordFile, wordTokenizer } from '../src/index.js';
import { quantiles } from '../src/inspection/quantiles.js';
import { sharedFile } from './shared-data.js';

const folder = mkdtempSync(join(tmpdir(), 'inspection-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options: InspectionOptions = {
  segmenter: { by: 'rate', rate: 2 },
  tokenizer: (records) =>
    wordTokenizer(records.flatMap(({ question, steps, answer }) => [question, ...steps, answer])),
};

function write(...rows: unknown[]): string {
  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));
  return file;
}

describe('inspectRecordFile', () => {
  it('counts lengths in tokens and shows how a chain is cut', async () => {
    const file = write(
      { question: 'a b c', steps: ['1 2 3', '4 5'], answer: 'x' },
      { question: 'a', steps: ['1'], answer: 'y' },
    );
    const { lengths, examples, findings } = await inspectRecordFile(file, 'auto', options);
    expect(findings).toEqual([]);
    expect(examples[0]).toEqual({
      place: 'line 1',
      question: 'a b c',
      segments: ['1 2', '3 4', '5'],
      answer: 'x',
    });
    expect(lengths).toMatchObject({
      question: { smallest: 1, median: 1, largest: 3 },
      chain: { smallest: 1, largest: 5 },
      latents: { smallest: 1, largest: 3 },
      // with both markers and the end of the answer
      total: { smallest: 6, largest: 12 },
    });
  });

  it('finds what is wrong, with places', async () => {
    const row = { question: 'q', steps: ['s'], answer: 'a' };
    const file = write(row, { ...row, steps: [] }, '{', { ...row, answer: 'b' }, { ...row, question: 'Q ' });
    const { findings, description } = await inspectRecordFile(file, 'auto', options);
    expect(description).toMatchObject({ records: 4, rows: 4, emptyChains: 1 });
    expect(findings).toEqual([
      {
        kind: 'unreadable',
        count: 1,
        shown: [{ place: 'line 3', what: expect.stringMatching(/^expected JSON, got "\{"/) }],
      },
      { kind: 'empty-chain', count: 1, shown: [{ place: 'line 2', what: 'no step' }] },
      {
        kind: 'repeated-question',
        count: 2,
        shown: [
          { place: 'line 2', what: 'the question of line 1' },
          { place: 'line 5', what: 'the question of line 1' },
        ],
      },
      {
        kind: 'conflicting-answers',
        count: 1,
        shown: [{ place: 'line 4', what: 'the question of line 1, yet "b", not "a"' }],
      },
    ]);
  });

  it('lists no more than it is asked to', async () => {
    const file = write(...Array<string>(100).fill('{'));
    const { findings, lengths, examples } = await inspectRecordFile(file, 'jsonl', {
      ...options,
      findings: 3,
    });
    expect(findings).toMatchObject([{ kind: 'unreadable', count: 100 }]);
    expect(findings[0]!.shown).toHaveLength(3);
    expect({ lengths: lengths.total, examples }).toEqual({ lengths: null, examples: [] });
  });

  const train = sharedFile('gsm8k/train.jsonl');
  it.skipIf(train.missing)(
    'says which of GSM8K’s chains are left out, and why (../shared/data)',
    async () => {
      const { findings, description } = await inspectRecordFile(train.path, 'auto', options);
      expect(description).toMatchObject({ format: 'gsm8k', records: 7001, rows: 7473 });
      expect(Object.fromEntries(findings.map(({ kind, count }) => [kind, count]))).toEqual({
        'empty-chain': 95,
        'not-ending-in-answer': 377,
      });
    },
  );
});

describe('quantiles', () => {
  it('are values of the list, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), (values) => {
        const found = Object.values(quantiles(values)!) as number[];
        expect(found.every((value) => values.includes(value))).toBe(true);
        expect(found).toEqual([...found].sort((left, right) => left - right));
        expect([found[0], found.at(-1)]).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
    expect(quantiles(Array.from({ length: 100 }, (_, i) => i + 1))).toMatchObject({
      median: 50,
      p90: 90,
      p99: 99,
    });
    expect(quantiles([])).toBeNull();
  });
});
