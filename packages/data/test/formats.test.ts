import { describe, expect, it } from 'vitest';
import { type RecordFormat, readRecordFile, readRecords } from '../src/index.js';
import { sharedFile } from './shared-data.js';

/** Item counts and SHA-256 as the sources give them; samples are the first rows of the published files. */
const FILES: readonly {
  readonly file: string;
  readonly format: RecordFormat;
  readonly records: number;
  readonly distinct?: number;
  readonly sha256?: string;
  readonly first: { readonly question: RegExp; readonly steps: readonly (string | RegExp)[]; answer: string };
}[] = [
  {
    file: 'gsm8k/train.jsonl',
    format: 'gsm8k',
    records: 7473,
    sha256: '17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465',
    first: { question: /^Natalia sold clips/, steps: ['<<48/2=24>>', '<<48+24=72>>'], answer: '72' },
  },
  {
    file: 'samples/gsm8k_test.head20.jsonl',
    format: 'gsm8k',
    records: 20,
    first: { question: /^Janet’s ducks/, steps: ['<<16-3-4=9>>', '<<9*2=18>>'], answer: '18' },
  },
  {
    file: 'gsm8k_aug/valid.txt',
    format: 'gsm8k-aug',
    records: 500,
    sha256: '04f9bddfe8ac4846571b1e2b612b289c95770b5012fdb34cc36a597b041afb87',
    first: {
      question: /^John cuts his grass/,
      steps: ['<<4-2=2>>', '<<2/.5=4>>', '<<12/4=3>>', '<<100*3=300>>'],
      answer: '300',
    },
  },
  {
    file: 'samples/gsm8k_aug_test.head20.txt',
    format: 'gsm8k-aug',
    records: 20,
    first: { question: /^Janet’s ducks/, steps: ['<<16-3-4=9>>', '<<9*2=18>>'], answer: '18' },
  },
  {
    file: 'gsm8k_aug/train_no_aug.txt',
    format: 'gsm8k-aug',
    records: 6973,
    sha256: 'd4be3efa9c83b45cd7d31ba70968dd94c3b6c287d1ae2cfd42e820637ff7b506',
    first: {
      question: /^The town’s annual budget/,
      steps: [/^The annual budget .* public spaces\.$/],
      answer: '4',
    },
  },
  {
    file: 'samples/gsm_hard.head20.jsonl',
    format: 'gsm-hard',
    records: 20,
    first: { question: /4933828\. She sells/, steps: [], answer: '-9867630' },
  },
  {
    file: 'samples/svamp.head20.json',
    format: 'svamp',
    records: 20,
    first: {
      question: /25 dollars on each pack How much do you have to pay to buy each pack\?$/,
      steps: ['<<76-25=51>>'],
      answer: '51',
    },
  },
  {
    file: 'samples/multiarith.head20.json',
    format: 'multiarith',
    records: 20,
    first: { question: /^For Halloween Debby/, steps: ['<<(32+42)-35=39>>'], answer: '39' },
  },
  {
    file: 'samples/mawps_multiarith.head20.jsonl',
    format: 'mawps',
    records: 20,
    first: { question: /^For Halloween Debby/, steps: [], answer: '39' },
  },
  {
    file: 'mawps/addsub.jsonl',
    format: 'mawps',
    records: 395,
    sha256: '2fae2c92530cdf1ac0487db9a90e68d6af84049d755c07c4486411c1d7f43e75',
    first: { question: /^Joan found 70 seashells/, steps: [], answer: '43' },
  },
  {
    file: 'mawps/singleop.jsonl',
    format: 'mawps',
    records: 562,
    sha256: 'feb012e7ed5503cdb96fd127d539692b033000e9134655acaf4f4e0091328e94',
    first: { question: /^If there are 7 bottle caps/, steps: [], answer: '14' },
  },
  {
    file: 'math/train_4500.jsonl',
    format: 'math',
    records: 4500,
    first: {
      question: /^How many vertical asymptotes/,
      steps: [/^The denominator .* vertical asymptotes\.$/],
      answer: '2',
    },
  },
  {
    file: 'samples/math500.head20.jsonl',
    format: 'math',
    records: 20,
    first: {
      question: /^Convert the point/,
      steps: [
        /^We have/,
        /^\[asy\]/,
        /^unitsize/,
        /^draw/,
        /^draw/,
        /^draw/,
        /^dot/,
        /^label/,
        /^dot/,
        /^\[\/asy\]/,
        /^Therefore/,
      ],
      answer: '\\left( 3, \\frac{\\pi}{2} \\right)',
    },
  },
  {
    file: 'samples/aime24.head3.jsonl',
    format: 'aime',
    records: 3,
    first: { question: /^Every morning Aya/, steps: [], answer: '204' },
  },
  {
    file: 'prontoqa/coconut_valid.json',
    format: 'prontoqa',
    records: 200,
    sha256: 'a37e616669d054c16a09fa0d063c7723ea732ef635bf6bf9847fe701e485c9aa',
    first: {
      question: /True or false: Alex is happy\.$/,
      steps: [/^Alex is a tumpus\./, /^Alex is a gorpus/, /wumpus/, /sterpus/, /brimpus/, 'Alex is happy.'],
      answer: 'True',
    },
  },
  {
    file: 'prontoqa/345hop_random_true.json',
    format: 'prontoqa-hops',
    records: 4500,
    distinct: 4500,
    sha256: 'f72eaf608740f69b2115f967150b864677ea94b08b7b17a935dc81781147aae7',
    first: { question: /True or false: Sally is not bony\.$/, steps: [], answer: 'True' },
  },
  {
    file: 'prosqa/valid.json',
    format: 'prosqa',
    records: 300,
    sha256: 'c74e0de24f1e90ec48b1a993e6458a7be4caeef3928f5104e3c2e45d689a5249',
    first: {
      question: /Is Tom a lempus or scrompus\?$/,
      steps: ['Tom is a terpus.', 'Every terpus is a brimpus.', 'Every brimpus is a lempus.'],
      answer: 'Tom is a lempus.',
    },
  },
  {
    file: 'strategyqa/dev.json',
    format: 'strategyqa',
    records: 229,
    sha256: '0d94842ffb022db8fd5ecd2168b785d5cf67f6faf64f665476bad544a3eb9dde',
    first: { question: /^Will the Albany in Georgia/, steps: [/75,000/, /100,000/], answer: 'no' },
  },
  {
    file: 'mult/4_by_4_valid.txt',
    format: 'multiplication',
    records: 1000,
    sha256: '27c2ca51e9368367b43b4a99eb6148f8dc904531f7ead074d3a97056f788058c',
    first: {
      question: /^5 6 3 2 \* 7 4 3 4$/,
      steps: [
        '5 5 5 6 1',
        '+ 0 0 6 4 9 0 ( 5 5 1 1 1 1 )',
        '+ 0 0 5 9 0 7 0 ( 5 5 6 0 2 8 0 )',
        '+ 0 0 0 0 6 4 9 0',
      ],
      answer: '5 5 6 0 8 2 0 1',
    },
  },
  {
    file: 'mult/5_by_5_valid.txt',
    format: 'multiplication',
    records: 1000,
    sha256: 'd3b95bdf0f74863a88bc777fee3fe23854e6ad458b8e7b847b65dac25e59182c',
    first: {
      question: /^3 5 4 1 1 \* 2 1 4 6 5$/,
      steps: [/^6 0/, /^\+ 0 3/, /^\+ 0 0/, /^\+ 0 0 0/, /^\+ 0 0 0 0/],
      answer: '6 3 6 6 8 0 6 4 6 0',
    },
  },
];

describe('the public files, their format told from their content (../shared/data)', () => {
  for (const { file, format, records, distinct, sha256, first } of FILES) {
    const { path, missing } = sharedFile(file);
    it.skipIf(missing)(`${file} is ${format}, ${records} records`, async () => {
      const read = await readRecordFile(path, 'auto', { chains: 'all' });
      expect(read.description).toMatchObject({ format, rows: records, records, dropped: 0 });
      if (sha256) expect(read.description.sha256).toBe(sha256);
      if (distinct) expect(records - read.description.duplicateQuestions).toBe(distinct);
      const [record] = read.records;
      expect(record!.question).toMatch(first.question);
      expect(record!.answer).toBe(first.answer);
      first.steps.forEach((step, i) => {
        expect(record!.steps[i]).toMatch(step);
      });
      if (first.steps.length > 0) expect(record!.steps).toHaveLength(first.steps.length);
      // asked for by name it is the same
      expect((await readRecordFile(path, format, { chains: 'all' })).records).toEqual(read.records);
    });
  }

  const hops = sharedFile('prontoqa/345hop_random_true.json');
  it.skipIf(hops.missing)('ProntoQA’s in-context examples have chains of 7, 9 and 11 sentences', async () => {
    const { records, description, places } = await readRecordFile(hops.path, 'prontoqa-hops');
    expect(description.stepCounts).toEqual([
      { steps: 7, records: 2321 },
      { steps: 9, records: 1105 },
      { steps: 11, records: 1074 },
    ]);
    expect(records.filter(({ answer }) => answer === 'True')).toHaveLength(2279);
    expect(places[9]).toBe('item 2, "in_context_example0"');
  });

  const product = sharedFile('mult/4_by_4_valid.txt');
  it.skipIf(product.missing)('every product is one, digits from the smallest on', async () => {
    const number = (digits: string) => Number(digits.split(' ').reverse().join(''));
    for (const name of ['mult/4_by_4_valid.txt', 'mult/5_by_5_valid.txt']) {
      const { records } = await readRecordFile(sharedFile(name).path);
      for (const { question, answer } of records) {
        const [left, right] = question.split(' * ').map(number);
        expect(number(answer)).toBe(left! * right!);
      }
    }
  });

  it.skipIf(product.missing)('the equations of SVAMP and MultiArith hold', async () => {
    for (const name of ['samples/svamp.head20.json', 'samples/multiarith.head20.json']) {
      const { description } = await readRecordFile(sharedFile(name).path);
      expect(description).toMatchObject({ records: 20, dropped: 0 });
    }
  });
});

describe('formats', () => {
  const one = (row: unknown, format: RecordFormat = 'auto') =>
    readRecords(JSON.stringify([row]), format, 'rows.json', { chains: 'all' })[0];

  it('official records, to train on and to test with', () => {
    const training = { problem: 'p', cot: '<think>a\nb</think>', cot_answer: 'c' };
    expect(one(training)).toEqual({ question: 'p', steps: ['a\n', 'b'], answer: 'c' });
    const test = { problem: 'p', solution: 'a', answer: 'c' };
    expect(one(test, 'official')).toEqual({ question: 'p', steps: ['a'], answer: 'c' });
  });

  it('MultiArith without its equations', () => {
    expect(one({ input: 'q', target: 3.0 }, 'multiarith')).toEqual({ question: 'q', steps: [], answer: '3' });
  });

  it('writes large and small numbers out', () => {
    expect(one({ input: 'q', target: 1e21 })!.answer).toBe(`1${'0'.repeat(21)}`);
    expect(one({ input: 'q', target: -0.5 })!.answer).toBe('-0.5');
  });

  it.each([
    ['( ( 3.0 + 4.0 ) * 5.0 )', 35, '<<(3+4)*5=35>>'],
    ['( 3.0 + 4.0 ) * ( 5.0 - 1.0 )', 28, '<<(3+4)*(5-1)=28>>'],
    ['( 10.5 - 0.50 )', 10, '<<10.5-0.50=10>>'],
  ])('SVAMP’s %s', (Equation, Answer, step) => {
    expect(one({ Body: 'b', Question: 'q', Equation, Answer })!.steps).toEqual([step]);
  });

  it('the last box of a solution, whatever it holds', () => {
    const solution = 'first \\boxed{1}, then $\\boxed{\\frac{a}{\\{b\\}}}$.';
    expect(one({ problem: 'p', solution })!.answer).toBe('\\frac{a}{\\{b\\}}');
    expect(() => one({ problem: 'p', solution: 'no box' })).toThrow(
      'expected a solution with \\boxed{answer} on item 1 of rows.json, got none',
    );
  });

  it.each([
    [{ input: 'q', target: 'seven' }, 'mawps', 'field "target" as a number on item 1'],
    [
      { sQuestion: 'q', lEquations: ['X=1', 'X=2'], lSolutions: [1] },
      'multiarith',
      'field "lEquations" as a list of one',
    ],
    [
      { sQuestion: 'q', lEquations: ['1+1'], lSolutions: [2] },
      'multiarith',
      'field "lEquations.0" as an equation "X=…"',
    ],
    [{ question: 'q', facts: ['f'], answer: 'perhaps' }, 'strategyqa', 'field "answer" as true or false'],
    [{ problem: 'p', solution: 's', answer: 'x' }, 'aime', 'field "answer" as a whole number from 0 to 999'],
    [{ question: 'q' }, 'prontoqa-hops', 'expected a test_example on item 1'],
    [
      { test_example: { question: 'q', query: 'r' } },
      'prontoqa-hops',
      'field "chain_of_thought" as a list of texts on item 1, "test_example"',
    ],
    [
      { Body: 'b', Question: 'q', Equation: '1', Answer: null },
      'svamp',
      'field "Answer" as a number on item 1 of rows.json, got null',
    ],
    [7, 'mawps', 'on item 1 of rows.json, got 7'],
    [7, 'gsm8k-aug', 'expected "question||chain #### answer" on item 1 of rows.json, got no line of text'],
    [
      { a: 1, b: 2 },
      'auto',
      'expected a row of a known format, or fields by name on item 1 of rows.json, got fields "a", "b"',
    ],
  ] as const)('refuses %j as %s', (row, format, message) => {
    expect(() => one(row, format)).toThrow(message);
  });
});

describe('fields by name', () => {
  const fields = { question: 'q', chain: 'rationale', answer: 'label' };
  const read = (row: unknown) => readRecords(JSON.stringify(row), 'auto', 'rows.jsonl', { fields })[0];

  it('takes a text, whose lines are steps, or a list', () => {
    expect(read({ q: 'a', rationale: 'b\nc', label: 1 })).toEqual({
      question: 'a',
      steps: ['b\n', 'c'],
      answer: '1',
    });
    expect(read({ q: 'a', rationale: ['b', 'c'], label: 'd' })).toMatchObject({ steps: ['b', 'c'] });
    expect(read({ q: 'a', rationale: '', label: 'd' })).toMatchObject({ steps: [] });
  });

  it('needs no chain', () => {
    const text = JSON.stringify({ q: 'a', label: 'd' });
    expect(readRecords(text, 'auto', 'rows.jsonl', { fields: { question: 'q', answer: 'label' } })).toEqual([
      { question: 'a', steps: [], answer: 'd' },
    ]);
  });

  it('says which of them is wrong', () => {
    expect(() => read({ q: 'a', label: 'd' })).toThrow(
      'field "rationale" as a text or a list of texts on line 1 of rows.jsonl, got nothing',
    );
    expect(() => read({ q: ' ', rationale: 'b', label: 'd' })).toThrow(
      'field "q" as a text that is not empty',
    );
    const twice = { question: 'q', answer: 'q' };
    expect(() => readRecords('{}', 'auto', 'a.jsonl', { fields: twice })).toThrow(
      'different fields, got q, q',
    );
  });
});
