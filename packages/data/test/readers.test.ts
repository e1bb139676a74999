import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeRecords,
  type ReasoningRecord,
  type RecordFormat,
  readRecordFile,
  readRecords,
} from '../src/index.js';
import { sharedFile } from './shared-data.js';

const read = (text: string, format: RecordFormat = 'jsonl') => readRecords(text, format, 'a.file');
const line = (value: unknown) => JSON.stringify(value);

describe('jsonl', () => {
  it('reads steps, a chain, and the authors’ fields', () => {
    const text = [
      line({ question: 'q', steps: ['s', 't'], answer: 7, source: 'x' }),
      line({ question: 'q', cot: 'one\n\ntwo', answer: 'a' }),
      line({ problem: 'q', cot: '<think>\none\n</think>', cot_answer: 'a' }),
      line({ problem: 'q', cot: '<think></think>', cot_answer: 'a' }),
    ].join('\n');
    expect(read(text)).toEqual([
      { question: 'q', steps: ['s', 't'], answer: '7' },
      { question: 'q', steps: ['one\n\n', 'two'], answer: 'a' },
      { question: 'q', steps: ['one'], answer: 'a' },
      { question: 'q', steps: [], answer: 'a' },
    ]);
  });

  it('reads what it is written as, whatever line ends, blank lines and byte order mark', () => {
    const word = fc.stringMatching(/^\S{1,8}$/);
    const record = fc.record({ question: word, steps: fc.array(word, { maxLength: 3 }), answer: word });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        (records, end) => {
          expect(read(`\uFEFF${records.map((row) => line(row) + end).join('')}`)).toEqual(records);
        },
      ),
    );
  });

  it('keeps every character of a chain', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab \n]*$/), (chain) => {
        const [record] = read(line({ question: 'q', cot: chain, answer: 'a' }));
        expect(record!.steps.join('')).toBe(chain.trim());
        expect(record!.steps.every((step) => /\S/.test(step))).toBe(true);
      }),
    );
  });

  const good = line({ question: 'q', steps: ['s'], answer: 'a' });
  it.each([
    [
      `${`${good}\n`.repeat(6)}{"question": "q", `,
      /^readRecords: expected JSON on line 7 of a\.file, got "\{\\"question\\": \\"q\\", " \(.+\)$/,
    ],
    [
      line({ question: 'q', steps: ['s'] }),
      'expected field "answer" as a text or a number on line 1 of a.file, got nothing',
    ],
    [
      line({ question: ' ', steps: [], answer: 'a' }),
      'expected field "question" as a text that is not empty on line 1 of a.file, got " "',
    ],
    [
      line({ question: 'q', steps: ['s', ''], answer: 'a' }),
      'expected field "steps.1" as a text that is not empty',
    ],
    [
      line({ question: 'q', steps: 's', answer: 'a' }),
      'expected field "steps" as a list of texts on line 1 of a.file, got "s"',
    ],
    [
      line({ question: 'q', answer: 'a' }),
      'expected field "steps" as a list of texts on line 1 of a.file, got nothing',
    ],
    [line({ problem: 'q', cot: 'c', answer: 'a' }), 'expected field "cot_answer"'],
    [
      line({ question: 'q', cot: 5, answer: 'a' }),
      'expected field "cot" as a text on line 1 of a.file, got 5',
    ],
    [
      line({ question: 'q', steps: ['s'], answer: '' }),
      'expected field "answer" as a text that is not empty',
    ],
    ['[1]', 'on line 1 of a.file, got [1]'],
    ['\n \n', 'expected at least one record on line 1 of a.file, got none'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('prosqa', () => {
  it('reads a list and passes over other fields', () => {
    const item = { question: 'q', steps: ['s'], answer: 'a', edges: [[0, 1]], root: 0 };
    expect(read(line([item]), 'prosqa')).toEqual([{ question: 'q', steps: ['s'], answer: 'a' }]);
  });

  it.each([
    ['[\n{"question": "q",\n]', /expected JSON on line [23] of a\.file/],
    ['[\n{"question"', /expected JSON on line 2 of a\.file/],
    ['{"question": "q"}', 'expected a JSON list on line 1 of a.file'],
    [
      line([{ question: 'q', steps: ['s'], answer: 'a' }, { question: 'q' }]),
      'field "steps" as a list of texts on item 2',
    ],
    ['[]', 'expected at least one record'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text, 'prosqa')).toThrow(message);
  });
});

describe('gsm8k-aug', () => {
  it('reads one step an equation, or a chain in words as one step', () => {
    const text = 'q 1?||<<4-2=2>> <<2/.5=4>> #### 4\r\nq 2?|| #### 5\r\nq 3?||Half of 4 is 2. #### 1,000\r\n';
    expect(read(text, 'gsm8k-aug')).toEqual([
      { question: 'q 1?', steps: ['<<4-2=2>>', '<<2/.5=4>>'], answer: '4' },
      { question: 'q 2?', steps: [], answer: '5' },
      { question: 'q 3?', steps: ['Half of 4 is 2.'], answer: '1,000' },
    ]);
  });

  it.each([
    [
      'q <<1=1>> #### 1',
      'expected "question||chain #### answer" on line 1 of a.file, got "q <<1=1>> #### 1" without "||"',
    ],
    ['a||b #### c\nq||<<1=1>> 1', 'on line 2 of a.file, got "q||<<1=1>> 1" without "####"'],
    ['||<<1=1>> #### 1', 'expected a question before "||" on line 1 of a.file, got an empty one'],
    ['q||<<1=1>> ####  ', 'expected an answer after "####"'],
    [
      'q||<<1=1>> so #### 1',
      'expected a chain of <<equations>> alone on line 1 of a.file, got "so" beside them',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => read(text, 'gsm8k-aug')).toThrow(message);
  });
});

describe('empty chains', () => {
  const text = 'q 1||<<1=1>> #### 1\nq 2|| #### 2';
  const options = (emptyChain: 'keep' | 'error' | 'drop') =>
    readRecords(text, 'gsm8k-aug', 'a.file', { emptyChain }).length;

  it('are kept, dropped or an error', () => {
    expect([options('keep'), options('drop')]).toEqual([2, 1]);
    expect(() => options('error')).toThrow(
      'readRecords: expected a chain with at least one step on line 2 of a.file, got an empty chain',
    );
  });
});

it('an unknown format is refused with the known ones', () => {
  expect(() => read('', 'csv' as RecordFormat)).toThrow(/a format of auto, prosqa, .*, got "csv"$/);
});

describe('describeRecords', () => {
  it('counts empty chains, steps and questions that come again', () => {
    const row = (question: string, ...steps: string[]): ReasoningRecord => ({ question, steps, answer: 'a' });
    const records = [row('q', 's'), row('Q ', 's', 't'), row('r'), row('q', 's')];
    expect(describeRecords(records)).toMatchObject({
      records: 4,
      emptyChains: 1,
      duplicateQuestions: 2,
      stepCounts: [
        { steps: 0, records: 1 },
        { steps: 1, records: 2 },
        { steps: 2, records: 1 },
      ],
    });
  });
});

describe('readRecordFile', () => {
  it('gives the sha256 of the bytes and what was dropped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'records-'));
    try {
      const file = join(folder, 'rows.txt');
      writeFileSync(file, '\uFEFFq||<<1=1>> #### 1\r\nr|| #### 2\r\n');
      const { records, description } = await readRecordFile(file, 'gsm8k-aug', { emptyChain: 'drop' });
      expect(records).toHaveLength(1);
      expect(description).toMatchObject({
        file,
        sizeBytes: 34,
        rows: 2,
        dropped: 1,
        records: 1,
        emptyChains: 0,
      });
      expect(description.sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));

      writeFileSync(file, Buffer.from([0x71, 0xff]));
      await expect(readRecordFile(file, 'jsonl')).rejects.toThrow('expected UTF-8 text on line 1 of');
      await expect(readRecordFile(join(folder, 'none'), 'jsonl')).rejects.toThrow(
        /expected a file at .*none, got no such file/,
      );
      await expect(readRecordFile(folder, 'jsonl')).rejects.toThrow('got a folder');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const prosqa = sharedFile('prosqa/valid.json');
  it.skipIf(prosqa.missing)('reads ProsQA’s validation file', async () => {
    const { description } = await readRecordFile(prosqa.path, 'prosqa');
    expect(description).toMatchObject({ records: 300, emptyChains: 0, duplicateQuestions: 0 });
    expect(description.sha256).toBe('c74e0de24f1e90ec48b1a993e6458a7be4caeef3928f5104e3c2e45d689a5249');
    expect(description.stepCounts).toEqual([
      { steps: 3, records: 124 },
      { steps: 4, records: 133 },
      { steps: 5, records: 36 },
      { steps: 6, records: 7 },
    ]);
  });

  const augmented = sharedFile('gsm8k_aug/valid.txt');
  it.skipIf(augmented.missing)('reads GSM8K-Aug’s validation file', async () => {
    const { records, description } = await readRecordFile(augmented.path, 'gsm8k-aug');
    expect(description).toMatchObject({ records: 500, duplicateQuestions: 0 });
    expect(description.sha256).toBe('04f9bddfe8ac4846571b1e2b612b289c95770b5012fdb34cc36a597b041afb87');
    expect(records.every(({ steps }) => steps.every((step) => /^<<[^<>]+>>$/.test(step)))).toBe(true);
    expect(records[0]).toMatchObject({
      steps: ['<<4-2=2>>', '<<2/.5=4>>', '<<12/4=3>>', '<<100*3=300>>'],
      answer: '300',
    });
  });

  const words = sharedFile('gsm8k_aug/train_no_aug.txt');
  it.skipIf(words.missing)('reads chains in words', async () => {
    expect((await readRecordFile(words.path, 'gsm8k-aug')).description).toMatchObject({ records: 6973 });
  });
});
