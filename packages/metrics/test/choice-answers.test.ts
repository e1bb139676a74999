import { describe, expect, it } from 'vitest';
import { gradeAnswer } from '../src/index.js';

const RIGHT: readonly (readonly [text: string, reference: string])[] = [
  ['B', 'B'],
  ['b', 'B'],
  ['(B)', 'B'],
  ['B.', '(B)'],
  ['B)', 'B'],
  ['[B]', 'B'],
  ['**B**', 'B'],
  ['$B$', 'B'],
  ['\\text{B}', 'B'],
  ['B', '\\text{(B)}'],
  ['B', 'B) 42'],
  ['\\boxed{B}', 'B'],
  ['\\boxed{\\text{(B)}}', 'B'],
  ['\\boxed{\\textbf{(B)}\\ 42}', 'B'],
  ['\\boxed{A} no, \\boxed{B}', 'B'],
  ['The answer is B.', 'B'],
  ['The answer is (B) because A is wrong.', 'B'],
  ['The correct answer is: option B', 'B'],
  ['Answer: B', 'B'],
  ['**Answer:** (b)', 'B'],
  ['#### B', 'B'],
  ['A is wrong, so it must be B', 'B'],
  ['A and C fail. B holds.', 'B'],
  ['I think that B is right', 'B'],
  ['B is a good choice', 'B'],
  ['Option B', 'B'],
  ['(A) fails, (B) holds', 'B'],
  ['B: the second law', 'B'],
  ['\uff08B\uff09', 'B'],
  ['E', 'E'],
  ['The answer is J', 'J'],
  ['True', 'True'],
  ['true.', 'True'],
  ['TRUE', 'true'],
  ['False', 'False'],
  ['The answer is false', 'False'],
  ['The answer is True because it is not false.', 'True'],
  ['\\boxed{\\text{True}}', 'True'],
  ['#### False', 'False'],
  ['Alex is a tumpus. Tumpuses are floral. True', 'True'],
  ['True or false: Alex is happy. False', 'False'],
  ['The statement is not true.', 'False'],
  ['It is not false', 'True'],
  ['yes', 'true'],
  ['Yes', 'yes'],
  ['Yes, there is no doubt', 'yes'],
  ['No', 'false'],
  ['no', 'No'],
  ['No, it would not.', 'false'],
  ['So the answer is no.', 'false'],
  ['There is no reason against it, so yes.', 'true'],
  ['Yes or no? Yes.', 'yes'],
  ['Albany, NY has more. The answer is: no', 'false'],
  ['false', 'no'],
];

const WRONG: readonly (readonly [text: string, reference: string])[] = [
  ['A', 'B'],
  ['C', 'B'],
  ['K', 'B'],
  ['AB', 'B'],
  ['Because', 'B'],
  ['The answer is A. B is wrong.', 'B'],
  ['\\boxed{A} B', 'B'],
  ['\\boxed{} B', 'B'],
  ['(B) fails, (C) holds', 'B'],
  ['I do not know', 'I'],
  ['A guess', 'A'],
  ['none of these', 'B'],
  ['42', 'B'],
  ['True', 'False'],
  ['False', 'True'],
  ['not true', 'True'],
  ['True or false', 'True'],
  ['True or false', 'False'],
  ['Yes and no', 'yes'],
  ['No, that is true of others only', 'yes'],
  ['Yes, there is no doubt', 'no'],
  ['There is no doubt', 'no'],
  ['truely', 'true'],
  ['nobody', 'no'],
  ['yesterday', 'yes'],
  ['T', 'true'],
  ['The answer is true. It is false that Alex is shy.', 'False'],
  ['', 'B'],
  ['', 'True'],
  [' \n ', 'yes'],
];

describe('gradeAnswer of choices', () => {
  it.each(RIGHT)('%j picks %j', (text, reference) => {
    expect(gradeAnswer(text, reference, 'choice')).toMatchObject({ correct: true });
  });

  it.each(WRONG)('%j does not pick %j', (text, reference) => {
    expect(gradeAnswer(text, reference, 'choice')).toMatchObject({ correct: false });
  });

  it('says what it took for the choice', () => {
    expect(gradeAnswer('Option c', 'B', 'choice').extracted).toBe('C');
    expect(gradeAnswer('No.', 'true', 'choice').extracted).toBe('false');
    expect(gradeAnswer('Who knows?', 'B', 'choice').extracted).toBeNull();
  });

  it.each(['Z', 'AB', 'maybe', '', '42'])('refuses the reference %j', (reference) => {
    expect(() => gradeAnswer('B', reference, 'choice')).toThrow(
      `gradeAnswer: expected reference of kind 'choice' to be a letter A to J, true, false, yes or no, got`,
    );
  });
});
