import { describe, expect, it } from 'vitest';
import { gradeAnswer } from '../src/index.js';

const REFERENCE = 'Alex is a lempus.';

describe('gradeAnswer of names', () => {
  it.each([
    'Alex is a lempus.',
    'alex is a Lempus',
    'The answer is: Alex is a lempus.',
    '#### Alex is a lempus.',
    '\\boxed{\\text{Alex is a lempus}}',
    'Alex is a rempus. Every rempus is a lempus. Alex is a lempus.',
    'Alex is a brimpus.\nNo, Alex is a lempus.',
    'lempus',
    'a lempus',
    'Lempus.',
    'It is a lempus.',
    'The answer is lempus',
    'The answer is a lempus.',
    '**Alex** is a *lempus*.',
  ])('%j names it', (text) => {
    expect(gradeAnswer(text, REFERENCE, 'name')).toEqual({ correct: true, extracted: 'lempus' });
  });

  it.each([
    ['Alex is a brimpus.', 'brimpus'],
    ['Alex is not a lempus.', 'not lempus'],
    ['Alex is a lempus. Alex is a brimpus.', 'brimpus'],
    ['Tom is a lempus.', 'lempus'],
    ['Alex is a lempus or a brimpus.', 'lempus or a brimpus'],
    ['Alex is a lempuses', 'lempuses'],
    ['Every lempus is a brimpus.', 'brimpus'],
    ['brimpus', 'brimpus'],
    ['not a lempus', 'not lempus'],
    ['', null],
    ['  ', null],
    ['...', null],
  ])('%j does not', (text, extracted) => {
    expect(gradeAnswer(text, REFERENCE, 'name')).toEqual({ correct: false, extracted });
  });

  it('reads negative and bare references, and names of several words', () => {
    expect(gradeAnswer('Sally is not bony.', 'Sally is not bony.', 'name').correct).toBe(true);
    expect(gradeAnswer('Sally is bony.', 'Sally is not bony.', 'name').correct).toBe(false);
    expect(gradeAnswer('Sally is a painted lady.', 'painted lady', 'name').correct).toBe(true);
    expect(gradeAnswer('Sally is a lady.', 'painted lady', 'name').correct).toBe(false);
  });
});

describe('gradeAnswer of texts and lists', () => {
  it.each([
    ['x = 5', 'x = 5', true],
    ['The answer is X = 5.', 'x = 5', true],
    ['The answer is 5', 'The answer is 5', true],
    ['1 2 3 4', '1 2 3 4', true],
    ['#### 1 2 3 4', '1 2 3 4', true],
    ['1 2 3', '1 2 3 4', false],
    ['', 'a', false],
  ])('exact: %j, %j: %s', (text, reference, correct) => {
    expect(gradeAnswer(text, reference, 'exact').correct).toBe(correct);
  });

  it.each([
    ['1, 2', '2, 1', true],
    ['The answers are 3 and 1/2.', '[0.5, 3]', true],
    ['\\boxed{\\{1, 2\\}}', '1,2', true],
    ['so we get\n1, 2', '1, 2', true],
    ['red, blue', 'blue and red', true],
    ['1, 2, 2', '1, 2', false],
    ['1', '1, 2', false],
    ['1, 3', '1, 2', false],
    ['', '1, 2', false],
  ])('list: %j, %j: %s', (text, reference, correct) => {
    expect(gradeAnswer(text, reference, 'list').correct).toBe(correct);
  });
});
