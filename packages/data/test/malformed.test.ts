import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type RecordFormat, type RecordProblem, readRecordFile, readRecords } from '../src/index.js';

/** One good row of every format, and the fields that must say something. */
const ROWS: readonly (readonly [RecordFormat, Readonly<Record<string, unknown>>, readonly string[]])[] = [
  ['jsonl', { question: 'q', steps: ['s'], answer: 'a' }, ['question', 'answer']],
  ['jsonl', { question: 'q', cot: 's', answer: 'a' }, ['question', 'answer']],
  ['official', { problem: 'q', cot: 's', cot_answer: 'a' }, ['problem', 'cot_answer']],
  ['official', { problem: 'q', solution: 's', answer: 'a' }, ['problem', 'answer']],
  ['prosqa', { question: 'q', steps: ['s'], answer: 'a', idx_to_symbol: [] }, ['question', 'answer']],
  ['prontoqa', { question: 'True or false: q', steps: ['s'], answer: 'True' }, ['question', 'answer']],
  ['gsm8k', { question: 'q', answer: '<<1+1=2>>2 #### 2' }, ['question', 'answer']],
  [
    'svamp',
    { Body: 'b', Question: 'q', Equation: '( 1.0 + 1.0 )', Answer: 2 },
    ['Body', 'Question', 'Equation', 'Answer'],
  ],
  [
    'multiarith',
    { sQuestion: 'q', lEquations: ['X=(1.0+1.0)'], lSolutions: [2] },
    ['sQuestion', 'lEquations', 'lSolutions'],
  ],
  ['gsm-hard', { input: 'q', code: 'c', target: 2 }, ['input', 'target']],
  ['mawps', { input: 'q', target: 2 }, ['input', 'target']],
  ['math', { problem: 'q', solution: 's \\boxed{2}' }, ['problem', 'solution']],
  ['aime', { problem: 'q', solution: 's', answer: '204', url: 'u' }, ['problem', 'solution', 'answer']],
  ['strategyqa', { question: 'q', facts: ['f'], answer: true }, ['question', 'answer']],
];

const MEGABYTES = 10 * 2 ** 20;

/** The error's text; fails if there is none, or if it takes long or says much. */
function refusal(read: () => unknown): string {
  const start = performance.now();
  let message: string | null = null;
  try {
    read();
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).not.toBeNull();
  expect(message!.length).toBeLessThan(400);
  expect(performance.now() - start).toBeLessThan(10_000); // under a second on an idle machine
  return message!;
}

const jsonl = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const csvCell = (value: unknown) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `"${text.replaceAll('"', '""')}"`;
};
const csv = (...rows: Readonly<Record<string, unknown>>[]) =>
  [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]
    .map((cells) => cells.map(csvCell).join(','))
    .join('\r\n');

describe.each(ROWS)('%s', (format, row, filled) => {
  const read = (text: string, name = 'a.jsonl') => readRecords(text, format, name, { chains: 'all' });
  const [record] = read(jsonl(row));

  it('reads the same from JSON Lines, JSON and CSV, with a byte order mark and mixed line ends', () => {
    const twice = [record, record];
    expect(read(`\uFEFF${JSON.stringify(row)}\r\n\r${JSON.stringify(row)}\n`)).toEqual(twice);
    expect(read(`\uFEFF\n${JSON.stringify([row, row], null, 2).replaceAll('\n', '\r\n')}`, 'a.json')).toEqual(
      twice,
    );
    expect(read(`\uFEFF${csv(row, row)}\n`, 'a.csv')).toEqual(twice);
    expect(read(csv(row, row).replaceAll('","', '"\t"'), 'a.tsv')).toEqual(twice);
  });

  it('refuses a row that was cut off, with its line', () => {
    const text = JSON.stringify(row);
    expect(refusal(() => read(`${text}\n${text.slice(0, -3)}`))).toMatch(
      /expected JSON on line 2 of a\.jsonl, got /,
    );
    expect(refusal(() => read(`[${text},\n${text.slice(0, -3)}`, 'a.json'))).toMatch(
      /expected JSON on line [12] of/,
    );
  });

  it.each(filled)('refuses an empty %s, and one of another type', (field) => {
    for (const value of ['', ' \t', null, {}, [[]], undefined]) {
      const message = refusal(() => read(jsonl(row, { ...row, [field]: value })));
      expect(message).toMatch(
        new RegExp(`^readRecords: expected field "${field}.* on line 2 of a\\.jsonl, got `),
      );
    }
    expect(refusal(() => read(csv(row, { ...row, [field]: '' }), 'a.csv'))).toMatch(
      / on line 3 of a\.csv, got /,
    );
  });

  it('refuses what is no object', () => {
    for (const value of [7, null, 'text', [], true]) {
      expect(refusal(() => read(jsonl(value)))).toMatch(/ on line 1 of a\.jsonl, got /);
    }
  });

  it('refuses 10 MB in one row without showing them', () => {
    const long = { ...row, [filled[0]!]: 'x'.repeat(MEGABYTES) };
    const limit = /expected at most 1048576 characters a row on (line|item) \d/;
    expect(refusal(() => read(jsonl(row, long)))).toMatch(limit);
    expect(refusal(() => read(JSON.stringify([row, long]), 'a.json'))).toMatch(/on item 2 of a\.json/);
    expect(refusal(() => read(csv(row, long), 'a.csv'))).toMatch(limit);
    expect(refusal(() => read('x'.repeat(MEGABYTES)))).toMatch(limit);
    expect(refusal(() => read('x'.repeat(MEGABYTES), 'a.json'))).toMatch(/expected JSON on line 1/);
  });

  it('refuses nesting that goes deep', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const nested = JSON.stringify({ ...row, [filled[0]!]: 0 }).replace('0', deep);
    const said = /JSON on line 1 of .*, got more than 100 lists or objects in each other/;
    expect(refusal(() => read(nested))).toMatch(said);
    expect(refusal(() => read(`[${nested}]`, 'a.json'))).toMatch(said);
  });

  it('refuses NUL characters and halves of surrogate pairs', () => {
    for (const bad of ['a\0b', 'a\ud800']) {
      const field = filled[0]!;
      const value = Array.isArray(row[field]) ? [bad] : bad;
      expect(refusal(() => read(jsonl({ ...row, [field]: value })))).toMatch(/on line 1 of a\.jsonl/);
    }
    expect(refusal(() => read(JSON.stringify(row).replace('q', 'q\0')))).toMatch(/JSON on line 1/);
  });

  it('refuses a table with a quote left open, or rows of other widths', () => {
    const table = csv(row, row);
    expect(refusal(() => read(table.slice(0, -1), 'a.csv'))).toMatch(/a closing quote on line \d of a\.csv/);
    expect(refusal(() => read(`${table}\r\n"x"`, 'a.csv'))).toMatch(
      /expected \d columns on line 4 of a\.csv, got 1/,
    );
    expect(refusal(() => read(`${table.slice(0, -1)}${'x'.repeat(MEGABYTES)}`, 'a.csv'))).toMatch(
      /a quote left open/,
    );
    expect(refusal(() => read(`${table}x`, 'a.csv'))).toMatch(/after a closing quote on line 3/);
    expect(refusal(() => read('a,a\n1,2', 'a.csv'))).toMatch(
      /different column names on line 1 of a\.csv, got "a" twice/,
    );
  });

  it('refuses nothing at all', () => {
    for (const name of ['a.jsonl', 'a.csv', 'a.tsv', 'a.txt']) {
      expect(refusal(() => read(' \n\r\n', name))).toMatch(/at least one record on line 1 of a\./);
    }
    expect(refusal(() => read('', 'a.json'))).toMatch(/JSON on line 1/);
  });
});

describe.each(['gsm8k-aug', 'multiplication'] as const)('%s', (format) => {
  const read = (text: string) => readRecords(text, format, 'a.txt');
  const good = '1 * 2||<<1*2=2>> #### 2';

  it('reads the same with a byte order mark and mixed line ends', () => {
    const [record] = read(good);
    expect(read(`\uFEFF${good}\r${good}\r\n\n${good}`)).toEqual([record, record, record]);
  });

  it.each([
    ['1 * 2||<<1*2=2>>', 'without "####"'],
    ['1 * 2', 'without "||"'],
    ['||<<1*2=2>> #### 2', 'expected a question before "||"'],
    ['1 * 2||<<1*2=2>> ####', 'expected an answer after "####"'],
    ['1 * 2||\0 #### 2', 'a text without NUL characters'],
    ['x'.repeat(MEGABYTES), 'expected at most 1048576 characters a row'],
  ])('refuses %.40s', (line, message) => {
    const said = refusal(() => read(`${good}\n${line}`));
    expect(said).toContain(message);
    expect(said).toContain('on line 2 of a.txt');
  });
});

describe('JSON', () => {
  it('is not parsed where it nests deep, whatever its size', () => {
    const before = process.memoryUsage.rss();
    for (const start of ['[', '{"a":', '[{"[[":"\\"[",']) {
      expect(refusal(() => readRecords(start.repeat(3e6), 'auto', 'a.json'))).toMatch(
        /got more than 100 lists/,
      );
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 2 ** 20);
  });

  it('may hold brackets in texts', () => {
    const question = `${'['.repeat(500)}\\"${'{'.repeat(500)}`;
    const row = { question, steps: [], answer: 'a' };
    expect(readRecords(JSON.stringify([row]), 'auto', 'a.json')).toEqual([row]);
  });
});

describe('prontoqa-hops', () => {
  const example = { question: 'q', query: 'True or false: q', chain_of_thought: ['s'], answer: 'True' };
  const read = (value: unknown) => readRecords(JSON.stringify(value), 'prontoqa-hops', 'a.json');

  it('says which example of which item is wrong', () => {
    for (const [field, value] of [
      ['question', ''],
      ['query', 7],
      ['chain_of_thought', 'text'],
      ['answer', null],
    ] as const) {
      const bad = {
        example1: { test_example: example },
        example2: { test_example: { ...example, [field]: value } },
      };
      expect(refusal(() => read(bad))).toMatch(
        new RegExp(`expected field "${field}" as .* on item 2, "test_example" of a\\.json, got `),
      );
    }
  });
});

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'malformed-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Uint8Array) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };

  it.each([
    [
      Buffer.from('{"question":"q"}\n{"question":"\xff"}', 'latin1'),
      /UTF-8 text on line 2 of .*, got bytes that are none/,
    ],
    [Buffer.from('\ufeff{"question":"q"}', 'utf16le'), /UTF-8 text on line 1 of .*, got UTF-16/],
    [Buffer.from([0xc3]), /UTF-8 text on line 1/],
  ])('bytes that are no UTF-8 are refused, with their line', async (bytes, message) => {
    await expect(readRecordFile(write('bytes.jsonl', bytes))).rejects.toThrow(message);
  });

  it('problems are listed and passed over when someone listens', async () => {
    const good = { question: 'q', steps: ['s'], answer: 'a' };
    const file = write(
      'some.jsonl',
      `${jsonl(good, { ...good, answer: '' })}\n{\n${JSON.stringify(good)}\n7`,
    );
    const problems: RecordProblem[] = [];
    const { records, places } = await readRecordFile(file, 'auto', {
      onProblem: (problem) => problems.push(problem),
    });
    expect(records).toEqual([good, good]);
    expect(places).toEqual(['line 1', 'line 4']);
    expect(problems.map(({ place }) => place)).toEqual(['line 2', 'line 3', 'line 5']);
    expect(problems[0]).toMatchObject({ expected: 'field "answer" as a text that is not empty', got: '""' });
  });

  it('a file that breaks off is one problem when someone listens', async () => {
    for (const [name, content] of [
      ['list.json', '[{"question":'],
      ['table.csv', 'question,answer\n"q'],
      ['bytes.jsonl', Buffer.from([0xff])],
      ['short.parquet', 'PAR1'],
      ['empty.jsonl', ''],
    ] as const) {
      const problems: RecordProblem[] = [];
      const options = { onProblem: (problem: RecordProblem) => problems.push(problem) };
      const { records } = await readRecordFile(write(name, content), 'auto', options);
      expect(records).toEqual([]);
      expect(problems.length).toBeGreaterThan(0);
    }
  });
});
