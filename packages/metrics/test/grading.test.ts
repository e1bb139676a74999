import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnswerForm,
  type ComparisonKind,
  extractAfterHashes,
  extractAfterPhrase,
  extractAnswer,
  extractBoxed,
  grade,
  gradeChoice,
  gradeExact,
  gradeList,
  gradeNumeric,
  lastNumber,
  parseNumber,
} from '../src/index.js';

describe('extractBoxed', () => {
  it.each([
    ['so \\boxed{42}.', '42'],
    ['\\boxed{1} then \\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{\\left\\{ x \\right\\}}', '\\left\\{ x \\right\\}'],
    ['\\boxed{3} and \\boxed{never closed', '3'],
    ['\\fbox{ a b }', 'a b'],
    ['\\boxed {7}', '7'],
    ['\\boxed{}', ''],
    ['boxed 5', undefined],
    ['\\boxed{open', undefined],
  ])('of %j is %j', (text, expected) => {
    expect(extractBoxed(text)).toBe(expected);
  });

  it('gives back any content with balanced braces', () => {
    const content = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: fc.constantFrom(...'ab1+ ^_') }),
        fc.tuple(tie('text'), tie('text')).map(([inner, after]) => `{${inner}}${after}`),
      ),
    })).text;
    fc.assert(
      fc.property(content, (inner) => {
        expect(extractBoxed(`text \\boxed{${inner}} more }`)).toBe(inner.trim());
      }),
    );
  });
});

describe('the other forms', () => {
  it.each([
    ['48/2=24\n#### 72', '72'],
    ['a #### 1\nb # 1,000 \nnothing', '1,000'],
    ['none', undefined],
    ['empty ####', undefined],
  ])('after the hashes of %j is %j', (text, expected) => {
    expect(extractAfterHashes(text)).toBe(expected);
  });

  it.each([
    ['The answer is 3.5.', '3.5'],
    ['The answer is: 18. Thanks', '18'],
    ['the answer is 1\nThe final Answer: x = 2\nbye', 'x = 2'],
    ['answering', undefined],
    ['The answer is', undefined],
  ])('after the phrase of %j is %j', (text, expected) => {
    expect(extractAfterPhrase(text)).toBe(expected);
  });

  it.each([
    ['He pays $1,234.50.', '1,234.50'],
    ['5-3', '3'],
    ['from 2 to -7', '-7'],
    ['<<48/2=24>>24', '24'],
    ['about 3/4 of it', '3/4'],
    ['.5', '.5'],
    ['1e-3', '1e-3'],
    ['gpt4', undefined],
    ['none', undefined],
  ])('the last number of %j is %j', (text, expected) => {
    expect(lastNumber(text)).toBe(expected);
  });

  it('finds any decimal written at the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(99), (whole, cents) => {
        const number = `${whole}.${cents}`;
        expect(lastNumber(`1 of 2 is ${number}.`)).toBe(number);
        expect(parseNumber(number)).toBe(Number(number));
      }),
    );
  });
});

describe('extractAnswer', () => {
  it('takes the first form that is there', () => {
    expect(extractAnswer('#### 1 \\boxed{2}')).toEqual({ answer: '2', form: 'boxed' });
    expect(extractAnswer('answer: 4\n#### 3')).toEqual({ answer: '3', form: 'hashes' });
    expect(extractAnswer('1 + 1, the answer is two')).toEqual({ answer: 'two', form: 'phrase' });
    expect(extractAnswer('1 + 1 = 2')).toEqual({ answer: '2', form: 'last-number' });
    expect(extractAnswer('\\boxed{2}', ['last-number'])).toEqual({ answer: '2', form: 'last-number' });
    expect(extractAnswer('no', ['boxed', 'last-number'])).toBeUndefined();
  });

  it('refuses no form and unknown forms', () => {
    expect(() => extractAnswer('1', [])).toThrow('extractAnswer: expected at least 1 form, got none');
    expect(() => extractAnswer('1', ['box' as AnswerForm])).toThrow(
      'expected forms among boxed, hashes, phrase, last-number, got "box"',
    );
  });
});

describe('parseNumber', () => {
  it.each([
    ['1,234.5', 1234.5],
    ['-3/4', -0.75],
    ['\\frac{3}{4}', 0.75],
    ['-\\dfrac{1}{2}', -0.5],
    ['1\\frac{1}{2}', 1.5],
    ['2 1/4', 2.25],
    ['$18.', 18],
    ['-\\$5', -5],
    ['\u22127', -7],
    ['25\\%', 0.25],
    ['1e-3', 0.001],
    ['.5', 0.5],
    ['10\\,000', 10000],
    ['', undefined],
    ['1 2', undefined],
    ['12,34', undefined],
    ['18 dollars', undefined],
    ['1/0', undefined],
    ['0/0', undefined],
    ['.', undefined],
    ['1.2.3', undefined],
    ['Infinity', undefined],
  ])('%j is %s', (text, expected) => {
    expect(parseNumber(text)).toBe(expected);
  });
});

describe('graders', () => {
  it('exact: white space, case, dollars and a final full stop aside', () => {
    expect(gradeExact(' Tom  is a wumpus.', 'tom is a wumpus')).toBe(true);
    expect(gradeExact('$x+1$', 'x+1')).toBe(true);
    expect(gradeExact('a', 'b')).toBe(false);
  });

  it('numeric: integers exactly, others within the tolerance', () => {
    expect(gradeNumeric('1,000', '1000.0')).toBe(true);
    expect(gradeNumeric('0.33333', '1/3')).toBe(true);
    expect(gradeNumeric('0.3332', '1/3')).toBe(false);
    expect(gradeNumeric('1000000.5', '1000000')).toBe(false);
    expect(gradeNumeric('1000001', '1000000')).toBe(false);
    expect(gradeNumeric('1000000.5', '1000000', { tolerance: 1e-4 })).toBe(true);
    expect(gradeNumeric('1000000.5', '1000000', { tolerance: 0 })).toBe(false);
    expect(gradeNumeric('two', '2')).toBe(false);
    expect(gradeNumeric('25', '0.25')).toBe(false);
    expect(gradeNumeric('25', '0.25', { percent: true })).toBe(true);
    expect(() => gradeNumeric('2', 'two')).toThrow(
      'gradeNumeric: expected reference to be a number, got "two"',
    );
    expect(() => gradeNumeric('2', '2', { tolerance: -1 })).toThrow('expected tolerance');
  });

  it('choice: the only letter, else the last capital alone', () => {
    expect(gradeChoice('(b)', 'B')).toBe(true);
    expect(gradeChoice('A or maybe C.', 'C')).toBe(true);
    expect(gradeChoice('a CAB', 'A')).toBe(false);
    expect(gradeChoice('E', 'D')).toBe(false);
    expect(gradeChoice('E', 'E', 'ABCDE')).toBe(true);
    expect(() => gradeChoice('A', 'none')).toThrow('gradeChoice: expected reference to pick one of ABCD');
  });

  it('list: the same elements in any order', () => {
    expect(gradeList('3, 1/2', '(0.5, 3)')).toBe(true);
    expect(gradeList('{a, b}', 'B,A')).toBe(true);
    expect(gradeList('1,234', '1234')).toBe(true);
    expect(gradeList('1, 1, 2', '1, 2, 2')).toBe(false);
    expect(gradeList('1', '1, 1')).toBe(false);
    expect(() => gradeList('a', 'a', { tolerance: Number.NaN })).toThrow('gradeList: expected tolerance');
  });

  it('agree with themselves whatever the order of a list', () => {
    const numbers = fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(numbers, (list) => {
        expect(gradeList(list.toReversed().join(', '), list.join(', '))).toBe(true);
        expect(gradeNumeric(String(list[0]), String(list[0]))).toBe(true);
      }),
    );
  });

  it('grade: by kind; an answer that was not found is wrong', () => {
    expect(grade('4.0', '4', 'numeric')).toBe(true);
    expect(grade('4.0', '4', 'exact')).toBe(false);
    expect(grade(undefined, '', 'exact')).toBe(false);
    expect(() => grade('4', '4', 'symbolic' as ComparisonKind)).toThrow(
      'grade: expected kind to be one of exact, numeric, choice, list, latex, got "symbolic"',
    );
  });
});
