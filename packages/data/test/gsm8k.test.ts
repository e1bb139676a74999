import { describe, expect, it } from 'vitest';
import { equationChain, readRecordFile, readRecords } from '../src/index.js';
import { evaluateArithmetic } from '../src/readers/arithmetic.js';
import { sharedFile } from './shared-data.js';

describe('evaluateArithmetic', () => {
  it.each([
    ['16-3-4', 9],
    ['2+3*4', 14],
    ['(2+3)*4', 20],
    ['100/2/5', 10],
    ['-3+5', 2],
    ['2*-3', -6],
    ['.5*4.', 2],
    ['1,200+$3', 1203],
    ['20%*50', 10],
    ['50*20%', 10],
    ['7//2', 3],
    ['2**3**2', 512],
    ['-2**2', -4],
    ['2**-1', 0.5],
    [' 1 + 2 ', 3],
    ['3×4÷2', 6],
  ])('%s = %d', (text, value) => expect(evaluateArithmetic(text)).toBe(value));

  it.each(['', '1+', '(1', '1)', '1 2', 'x+1', '1/0', '*2', '1e5', '2(3)', ',', 'alert(1)'])(
    'refuses %j',
    (text) => expect(evaluateArithmetic(text)).toBeNull(),
  );

  it('refuses a million open brackets without running out of stack', () => {
    expect(evaluateArithmetic('('.repeat(1e6))).toBeNull();
    expect(evaluateArithmetic('-'.repeat(1e6))).toBeNull();
    expect(evaluateArithmetic('2**'.repeat(1e6))).toBeNull();
  });
});

describe('equationChain', () => {
  it('takes the annotations, brackets kept', () => {
    const solution = 'She has 16 - 3 - 4 = <<16-3-4=9>>9 eggs.\nShe makes 9 * 2 = $<<9*2=18>>18.\n#### 18';
    expect(equationChain(solution)).toEqual({
      steps: ['<<16-3-4=9>>', '<<9*2=18>>'],
      recomputes: true,
      endsInAnswer: true,
    });
  });

  it.each([
    ['<<2+2=5>> #### 5', false, true],
    ['<<2+2=4>> <<x=4>> #### 4', false, true],
    ['<<2+2>> #### 4', false, false],
    ['<<10/3=3.33>> #### 3.33', false, true],
    ['<<2+2=4>> #### 5', true, false],
    ['<<2*500=1000>> #### 1,000', true, true],
    ['<<1.5*2=3.0>> #### $3', true, true],
    ['no equation #### 5', true, false],
    ['<<2+2=4>>', true, false],
  ])('%s', (solution, recomputes, endsInAnswer) => {
    expect(equationChain(solution)).toMatchObject({ recomputes, endsInAnswer });
  });
});

describe('gsm8k', () => {
  const row = (answer: unknown) => JSON.stringify({ question: 'q', answer });
  const text = ['<<1+1=2>> #### 2', '<<1+1=3>> #### 3', '<<1+1=2>> #### 9', 'in words #### 9']
    .map(row)
    .join('\n');

  it.each([
    ['checked', 1],
    ['recomputing', 3],
    ['all', 4],
  ] as const)('keeps %s chains', (chains, count) => {
    expect(readRecords(text, 'gsm8k', 'a.file', { chains })).toHaveLength(count);
  });

  it('reads the annotations as steps', () => {
    expect(readRecords(row('1 + 1 = <<1+1=2>>2 #### 2'), 'gsm8k', 'a.file')).toEqual([
      { question: 'q', steps: ['<<1+1=2>>'], answer: '2' },
    ]);
  });

  it.each([
    [row('2'), 'expected field "answer" as "solution #### result" on line 1 of a.file, got "2"'],
    [row('2 #### '), 'expected a result after "####" on line 1 of a.file, got an empty one'],
    [row(2), 'expected field "answer" as a text'],
    [`${row('1 #### 1')}\n{"question"`, 'expected JSON on line 2 of a.file'],
  ])('refuses %j', (bad, message) => expect(() => readRecords(bad, 'gsm8k', 'a.file')).toThrow(message));

  const train = sharedFile('gsm8k/train.jsonl');
  describe.skipIf(train.missing)('the training file (../shared/data)', () => {
    it('recomputes in every row and ends in the answer in 7,001', async () => {
      const { description } = await readRecordFile(train.path, 'gsm8k');
      expect(description).toMatchObject({
        rows: 7473,
        records: 7001,
        dropped: 472,
        leftOut: { notRecomputing: 0, notEndingInAnswer: 472, emptyChain: 0 },
      });
      expect(description.sha256).toBe('17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465');
    });

    it('has the steps that its annotations have', async () => {
      const { description } = await readRecordFile(train.path, 'gsm8k', { chains: 'all' });
      expect(description.stepCounts.map(({ records }) => records)).toEqual([
        95, 404, 2175, 2137, 1424, 785, 287, 123, 40, 3,
      ]);
    });

    it('gives the chains of GSM8K-Aug’s validation file, from the same questions', async () => {
      const valid = (await readRecordFile(sharedFile('gsm8k_aug/valid.txt').path, 'gsm8k-aug')).records;
      const chains = new Map(
        (await readRecordFile(train.path, 'gsm8k', { chains: 'all' })).records.map((r) => [
          r.question,
          r.steps,
        ]),
      );
      const same = valid.filter(({ question, steps }) => `${chains.get(question)}` === `${steps}`);
      expect({
        found: valid.filter(({ question }) => chains.has(question)).length,
        same: same.length,
      }).toEqual({
        found: 500,
        same: 500,
      });
    });
  });
});
