import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentText, type TextUnit } from '../src/index.js';

describe('line', () => {
  it('gives one segment a line, blank lines left out', () => {
    expect(segmentText('a = 1\n  b = a + 2\r\n\n c = 3\n', 'line')).toEqual(['a = 1', 'b = a + 2', 'c = 3']);
  });
});

describe('step', () => {
  it('cuts at blank lines', () => {
    expect(segmentText('First we add.\n1 + 2 = 3\n \nThen we double.', 'step')).toEqual([
      'First we add.\n1 + 2 = 3',
      'Then we double.',
    ]);
  });

  it('cuts before "Step n", on its own line or after a sentence', () => {
    const steps = ['**Step 1:** add.\nIt is 3.', '## Step 2\ndouble.', 'Step 3: halve.'];
    expect(segmentText(`${steps[0]}\n${steps[1]} ${steps[2]}`, 'step')).toEqual(steps);
  });

  it('cuts before numbered lines, and takes no decimal or reference for a number', () => {
    expect(segmentText('1. Take\n3.5 apples from step 2: fine\n 2) Eat\n10. Stop', 'step')).toEqual([
      '1. Take\n3.5 apples from step 2: fine',
      '2) Eat',
      '10. Stop',
    ]);
  });
});

describe('equation', () => {
  it('gives one segment an equation of GSM8K-Aug, whole', () => {
    const chain = '<<600*30/100=180>> <<600*10/100=60>><<180+60=240>>';
    expect(segmentText(chain, 'equation')).toEqual([
      '<<600*30/100=180>>',
      '<<600*10/100=60>>',
      '<<180+60=240>>',
    ]);
  });

  it('keeps the words that lead to it, the repeated result, and in the last one the rest', () => {
    expect(segmentText('He has 3*4=<<3*4=12>>12 eggs. So <<12/2=6>>6 each. Done.', 'equation')).toEqual([
      'He has 3*4=<<3*4=12>>12',
      'eggs. So <<12/2=6>>6 each. Done.',
    ]);
  });

  it('gives text without an equation as one segment', () => {
    expect(segmentText('nothing to << add', 'equation')).toEqual(['nothing to << add']);
  });
});

describe('sentence', () => {
  it('cuts after sentences, not inside numbers', () => {
    expect(segmentText('It costs 3.50 dollars. Is that right? Yes!', 'sentence')).toEqual([
      'It costs 3.50 dollars.',
      'Is that right?',
      'Yes!',
    ]);
  });

  it('keeps a list number with its sentence', () => {
    expect(segmentText('1. Add them. 2. Double it.', 'sentence')).toEqual(['1. Add them.', '2. Double it.']);
  });
});

const UNITS: TextUnit[] = ['line', 'step', 'equation', 'sentence'];

/** Text in which every cut of every unit is likely. */
const chains = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\n\n',
        ' \n',
        '\r\n',
        ' ',
        '<<',
        '>>',
        '<<1+2=3>>',
        'Step 1: ',
        'step 2',
        '3. ',
        '4) ',
        '. ',
      ),
      fc.constantFrom('Add. ', '**', '## ', '3.5', '\u2028', '\u00a0', '?'),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''));

describe.each(UNITS)('%s on any text', (by) => {
  it('keeps every non-space character in order, in trimmed segments that are never empty', () => {
    fc.assert(
      fc.property(chains, (text) => {
        const segments = segmentText(text, by);
        expect(segments.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        expect(segments.every((segment) => segment !== '' && segment === segment.trim())).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives nothing for nothing', () => {
    expect(segmentText(' \n ', by)).toEqual([]);
  });
});

it('equation: never cuts an equation, and gives each segment one', () => {
  const equation = fc
    .tuple(fc.nat(), fc.constantFrom('+', '-', '*', '/'), fc.nat())
    .map(([a, op, b]) => `<<${a}${op}${b}=7>>`);
  fc.assert(
    fc.property(
      fc.array(equation, { minLength: 1 }),
      fc.constantFrom('', ' ', '\n', ' so '),
      (equations, between) => {
        const segments = segmentText(equations.join(between), 'equation');
        expect(segments.map((segment) => segment.match(/<<.*>>/)![0])).toEqual(equations);
      },
    ),
  );
});
