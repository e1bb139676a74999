import { describe, expect, it } from 'vitest';
import { gradeAnswer } from '../src/index.js';

/** [answer text, reference] that are the same number. */
const RIGHT: readonly (readonly [text: string, reference: string])[] = [
  ['18', '18'],
  ['18.', '18'],
  ['18.0', '18'],
  ['018', '18'],
  ['+18', '18'],
  ['$18', '18'],
  ['$18.00', '18'],
  ['\u20ac18', '18'],
  ['18 dollars', '18'],
  ['18 dollars', '$18'],
  ['The answer is 18.', '18'],
  ['The answer is: **18**.', '18'],
  ['**Answer:** 18', '18'],
  ['**Final answer**: $18$', '18'],
  ['Answer: 18 apples, because 20 - 2 = 18', '18'],
  ['#### 18', '18'],
  ['He pays 3 * 6 = 18.\n#### 18', '18'],
  ['9 * 2 = <<9*2=18>>18 dollars.', '18'],
  ['<<16-3-4=9>> <<9*2=18>>', '18'],
  ['## Step 3\nAdd 10 and 8 to get 18', '18'],
  ['He had 20, spent 2, and has 18', '18'],
  ['so \\boxed{18}', '18'],
  ['first \\boxed{3}, then \\boxed{18}.', '18'],
  ['\\boxed{x = 18}', '18'],
  ['\\boxed{18\\text{ dollars}}', '18'],
  ['\\boxed{\\$18}', '18'],
  ['\\boxed{18} but 20 were there', '18'],
  ['The answer is x = 3 * 6 = 18', '18'],
  ['The answer is 18 dollars for 3 days', '18'],
  ['the answer is about 18', '18'],
  ['18', '#### 18'],
  ['18', 'He pays 18. The final answer is \\boxed{18}.'],
  ['-5', '-5'],
  ['\u22125', '-5'],
  ['\u20135', '-5'],
  ['-$5', '-5'],
  ['$-5$', '-5'],
  ['9 - 4 = 5', '5'],
  ['1,234', '1234'],
  ['1234', '1,234'],
  ['$1,234,567.50', '1234567.5'],
  ['1{,}234', '1234'],
  ['10\\,000', '10000'],
  ['10 000', '10000'],
  ['10\u202f000', '10000'],
  ['-9867630', '-9867630.0'],
  ['1/2', '0.5'],
  ['3/4', '6/8'],
  ['\\frac{3}{4}', '0.75'],
  ['\\dfrac{3}{4} of it', '0.75'],
  ['1 1/2', '1.5'],
  ['1\\frac{1}{2}', '1.5'],
  ['1\u00bd cups', '1.5'],
  ['0.3333', '1/3'],
  ['.5', '0.5'],
  ['1e-3', '0.001'],
  ['1.2 \\times 10^{3}', '1200'],
  ['3 \u00d7 10^8', '300000000'],
  ['25%', '25'],
  ['25', '25%'],
  ['25\\%', '0.25'],
  ['25 percent', '25'],
  ['\uff11\uff18', '18'],
  ['\u0661\u0668', '18'],
  ['60 mph', '60 miles per hour'],
  ['90^\\circ', '90'],
];

/** [answer text, reference] that are not, however alike they look. */
const WRONG: readonly (readonly [text: string, reference: string])[] = [
  ['0.05', '1/2'],
  ['1/3', '0.3'],
  ['18.5', '18'],
  ['180', '18'],
  ['1.8', '18'],
  ['-18', '18'],
  ['5 - 18', '-18'],
  ['19', '18'],
  ['1,234', '1.234'],
  ['12345679', '12345678'],
  ['-9867631', '-9867630.0'],
  ['100.01', '100'],
  ['0.00005', '0.0001'],
  ['0', '0.00005'],
  ['0.1%', '10%'],
  ['0.25', '25'],
  ['2500', '25%'],
  ['5\u00b2', '52'],
  ['1e3', '13'],
  ['\\boxed{}', '18'],
  ['\\boxed{\\text{none}} of the 18', '18'],
  ['\\boxed{17} or 18', '18'],
  ['The answer is 17. It was 18 before.', '18'],
  ['The answer is 17 or 18.', '18'],
  ['The answer is 17 or 18.', '17'],
  ['#### 17\nchecked 18 times', '18'],
  ['eighteen', '18'],
  ['gpt18', '18'],
  ['3 1/2', '31/2'],
  ['12,34', '1234'],
  ['Infinity', '18'],
  ['NaN', '18'],
  ['1/0', '0'],
  ['', '18'],
  ['   \n\t ', '18'],
];

describe('gradeAnswer of numbers', () => {
  it.each(RIGHT)('%j is %j', (text, reference) => {
    expect(gradeAnswer(text, reference, 'number')).toMatchObject({ correct: true });
  });

  it.each(WRONG)('%j is not %j', (text, reference) => {
    expect(gradeAnswer(text, reference, 'number')).toMatchObject({ correct: false });
  });

  it('says what it took for the answer', () => {
    expect(gradeAnswer('It costs $1,200 in all.', '7', 'number').extracted).toBe('1,200');
    expect(gradeAnswer('\\boxed{x = \\frac{1}{2}}', '7', 'number').extracted).toBe('\\frac{1}{2}');
    expect(gradeAnswer('I do not know', '7', 'number').extracted).toBeNull();
  });

  it.each(['two', '', ' ', '3 or 4', 'x', '#### ', '\\boxed{}'])('refuses the reference %j', (reference) => {
    expect(() => gradeAnswer('2', reference, 'number')).toThrow(
      `gradeAnswer: expected reference of kind 'number' to be one number, got ${JSON.stringify(reference)}`,
    );
  });
});
