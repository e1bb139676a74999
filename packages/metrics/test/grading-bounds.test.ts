import { describe, expect, it } from 'vitest';
import { type GradeKind, gradeAnswer } from '../src/index.js';

const REFERENCES: Readonly<Record<GradeKind, string>> = {
  exact: 'x = 5',
  number: '12345',
  choice: 'B',
  name: 'Alex is a lempus.',
  list: '1, 2',
  latex: '\\frac{x}{2}',
};

const KINDS = Object.keys(REFERENCES) as GradeKind[];

const times = (count: number, part: string) => part.repeat(count);

const MEGABYTES = 10_000_000;

const HOSTILE: Readonly<Record<string, string>> = {
  empty: '',
  spaces: times(1000, ' '),
  'ten megabytes of digits': times(MEGABYTES, '7'),
  'ten megabytes of spaces': times(MEGABYTES, ' '),
  'ten megabytes of words': times(MEGABYTES / 8, 'no or 7 '),
  'ten megabytes of boxes that never close': times(MEGABYTES / 10, '\\boxed{ab '),
  'ten megabytes of phrases': times(MEGABYTES / 10, 'answer is '),
  'ten megabytes of hashes': times(MEGABYTES, '#'),
  'ten megabytes of full stops': times(MEGABYTES / 2, '. '),
  'ten megabytes in one box': `\\boxed{${times(MEGABYTES, '1+')}1}`,
  'a million backslashes': times(1_000_000, '\\'),
  'unbalanced braces': '\\boxed{\\frac{1}{2} is {5',
  'too many closing braces': 'x}}}}}}5}',
  'ten thousand braces in a box': `\\boxed{${times(10_000, '{')}1${times(10_000, '}')}}`,
  'ten thousand boxes in each other': `${times(10_000, '\\boxed{')}1${times(10_000, '}')}`,
  'control characters': '\\boxed{\u0000\u0001\u001b[31m5\u0000}',
  'half a character': '\\boxed{\ud800}',
};

/** Of at most 1,000 characters, so that every one is read to its end. */
const HOSTILE_LATEX: Readonly<Record<string, string>> = {
  'a tower of powers': '9^9^9^9',
  'a tower of powers in braces': '9^{9^{9^{9^{9}}}}',
  'a long tower': `${times(300, '9^')}9`,
  'powers of powers': `(((((9^{999})^{999})^{999})^{999})^{999})`,
  'large quotients in a list': times(70, '9^{99}/7^{98},'),
  'large powers added': `${times(120, '9^{600}+')}1`,
  'factorials of factorials': times(900, '!').padStart(901, '9'),
  'large factorials': `${times(120, '300!/')}1`,
  'a large binomial': '\\binom{999999999}{499999999}',
  'tiny exponents': '2^{0.000000001^{0.000000001}}',
  'division by zero': '\\frac{1}{0}',
  'a power of zero': '0^{-1}',
  parentheses: times(500, '('),
  'closed parentheses': `${times(450, '(')}1${times(450, ')')}`,
  'nested lists': `${times(200, '[1,')}1${times(200, ']')}`,
  'mixed brackets': times(200, '(|x['),
  bars: times(900, '|'),
  fractions: `${times(80, '\\frac{1}{1+')}1${times(80, '}')}`,
  'bare fractions': `${times(150, '\\frac1')}2`,
  roots: `${times(150, '\\sqrt')}2`,
  functions: `${times(150, '\\sin')}x`,
  indices: `${times(300, 'x_')}x`,
  signs: `${times(900, '-')}1`,
  'plus-minus': `${times(100, '\\pm 1+')}1`,
  'plus-minus in a list': times(60, '\\pm\\pm 1,'),
  equations: `${times(300, 'x=')}x`,
  'equations in braces': `${times(100, '{x=')}x${times(100, '}')}`,
  percents: `${times(300, '{')}5${times(300, '%}')}`,
  texts: times(60, '\\text{or }a'),
  'a list of a thousand': times(490, '1,'),
  'an open matrix': `\\begin{pmatrix}${times(200, '1\\\\')}`,
  'an unknown environment': '\\begin{verbatim}1\\end{verbatim}',
  'unknown commands': times(110, '\\input{x}'),
  'a thousand digits': times(900, '9'),
  'a long repeating decimal': `0.\\overline{${times(800, '7')}}`,
  'a lonely backslash': '\\frac{1}{2}\\',
};

describe('answers that mean harm', () => {
  it.each(Object.entries(HOSTILE))('%s: no kind accepts it, in bounded time', (_, text) => {
    const start = performance.now();
    for (const kind of KINDS) {
      const { correct, extracted } = gradeAnswer(text, REFERENCES[kind], kind);
      expect(correct).toBe(false);
      expect(extracted?.length ?? 0).toBeLessThanOrEqual(1_000_000);
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it.each(Object.entries(HOSTILE_LATEX))('%s', (_, latex) => {
    expect(latex.length).toBeLessThanOrEqual(1000);
    const start = performance.now();
    for (const reference of ['\\frac{x}{2}', '1, 2', 'x = 5', latex.slice(0, 9), `${latex}+1`]) {
      if (isBalanced(reference)) gradeAnswer(`\\boxed{${latex}}`, reference, 'latex');
    }
    expect(gradeAnswer(`\\boxed{${latex}}`, 'z', 'latex').correct).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('references that are no answers', () => {
  it.each(KINDS)('an empty one of kind %s', (kind) => {
    for (const reference of ['', ' \n ']) {
      expect(() => gradeAnswer('5', reference, kind)).toThrow(
        `gradeAnswer: expected reference of kind '${kind}' to be`,
      );
    }
  });

  it.each([
    ['number', 'five'],
    ['choice', 'perhaps'],
    ['name', '...'],
    ['latex', '\\frac{1}{2'],
    ['latex', '1}{2'],
    ['latex', '$.$'],
    ['latex', times(2000, '1')],
  ] as const)('%s: case %#', (kind, reference) => {
    expect(() => gradeAnswer('5', reference, kind)).toThrow(`expected reference of kind '${kind}' to be`);
  });

  it('are not repeated at full length', () => {
    expect(() => gradeAnswer('5', times(MEGABYTES, 'x'), 'number')).toThrow(/^.{0,400}$/);
  });

  it('an unknown kind', () => {
    expect(() => gradeAnswer('5', '5', 'symbolic' as GradeKind)).toThrow(
      `gradeAnswer: expected kind to be one of exact, number, choice, name, list, latex, got "symbolic"`,
    );
  });
});

function isBalanced(latex: string): boolean {
  const open = latex.match(/\{/g)?.length ?? 0;
  return (
    latex.trim() !== '' &&
    latex.length <= 1000 &&
    open === (latex.match(/\}/g)?.length ?? 0) &&
    !latex.endsWith('\\')
  );
}
