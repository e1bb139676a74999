import { choiceAnswer, referenceChoice } from './choice-answer.js';
import { extractAfterHashes, extractAfterPhrase, extractBoxed } from './extract-answer.js';
import { gradeExact } from './grade-exact.js';
import { gradeLatex, isReadable, LONGEST_LATEX } from './grade-latex.js';
import { gradeList } from './grade-list.js';
import { gradeNumeric } from './grade-number.js';
import { latexAnswer } from './latex-answer.js';
import { nameAnswer, referenceName, sameName } from './name-answer.js';
import { numberAnswer, referenceNumber } from './number-answer.js';

/** What kind of answer a data set asks for. */
export type GradeKind = 'exact' | 'number' | 'choice' | 'name' | 'list' | 'latex';

export interface AnswerGrade {
  readonly correct: boolean;
  /** What was taken for the answer; `null` if the text holds none. */
  readonly extracted: string | null;
}

/** Only this much of a text's end is read; the answer comes last. */
const LONGEST_TEXT = 1_000_000;

const GRADERS: Readonly<Record<GradeKind, (text: string, reference: string) => AnswerGrade>> = {
  exact: gradeExactAnswer,
  number: gradeNumberAnswer,
  choice: gradeChoiceAnswer,
  name: gradeNameAnswer,
  list: gradeListAnswer,
  latex: gradeLatexAnswer,
};

/**
 * Takes the answer out of a generated text and grades it against the reference.
 *
 * | kind     | for                                 | right if                                                      |
 * | -------- | ----------------------------------- | ------------------------------------------------------------- |
 * | `exact`  | synthetic tasks                     | the same text, case and white space aside                     |
 * | `number` | GSM8K, GSM-Hard, SVAMP, MAWPS, AIME | the same number, units aside: integers exactly, else 1e-4     |
 * | `choice` | GPQA, ProntoQA, StrategyQA          | the same letter or truth value; "yes" is "true"               |
 * | `name`   | ProsQA                              | the last sentence `X is a NAME` says the reference's name     |
 * | `list`   | several answers                     | the same elements in any order                                |
 * | `latex`  | MATH, AIME                          | the same mathematics, as `gradeLatex` says                    |
 *
 * The answer is what the last box, `####` or "the answer is" marks, else what the text ends in. Give the text after the
 * end marker only: a box written by the tokens of latent steps is no answer.
 *
 * @param text Generated text; of more than 1,000,000 characters the last ones count.
 * @param reference The data set's answer; it may stand in a box or after `####` itself.
 * @returns The grade; a text without an answer is wrong, with `extracted` null.
 * @throws If `kind` is unknown.
 * @throws If `reference` is no answer of this kind: an error of the data.
 */
export function gradeAnswer(text: string, reference: string, kind: GradeKind): AnswerGrade {
  if (!Object.hasOwn(GRADERS, kind)) {
    const known = Object.keys(GRADERS).join(', ');
    throw new Error(`gradeAnswer: expected kind to be one of ${known}, got ${JSON.stringify(kind)}`);
  }
  if (reference.trim() === '') throw unreadable(kind, reference);
  return GRADERS[kind](text.slice(-LONGEST_TEXT), reference);
}

function gradeExactAnswer(text: string, reference: string): AnswerGrade {
  const whole = text.trim();
  if (gradeExact(whole, reference)) return { correct: true, extracted: whole };
  const extracted = markedAnswer(text) ?? whole;
  return { correct: gradeExact(extracted, reference), extracted: extracted || null };
}

function gradeNumberAnswer(text: string, reference: string): AnswerGrade {
  const expected = referenceNumber(reference);
  if (expected === undefined) throw unreadable('number', reference);
  const extracted = numberAnswer(text);
  return {
    correct: extracted !== undefined && gradeNumeric(extracted, expected),
    extracted: extracted ?? null,
  };
}

function gradeChoiceAnswer(text: string, reference: string): AnswerGrade {
  const expected = referenceChoice(reference);
  if (expected === undefined) throw unreadable('choice', reference);
  const extracted = choiceAnswer(text, expected.set);
  return { correct: extracted === expected.choice, extracted: extracted ?? null };
}

function gradeNameAnswer(text: string, reference: string): AnswerGrade {
  const expected = referenceName(reference);
  if (expected === undefined) throw unreadable('name', reference);
  const claim = nameAnswer(text);
  const correct = claim !== undefined && sameName(claim, expected);
  return { correct, extracted: claim === undefined ? null : `${claim.negated ? 'not ' : ''}${claim.name}` };
}

function gradeListAnswer(text: string, reference: string): AnswerGrade {
  const expected = markedAnswer(reference) ?? reference;
  const extracted = markedAnswer(text) ?? text.trim().split('\n').at(-1)!;
  return { correct: gradeList(extracted, expected), extracted: extracted || null };
}

function gradeLatexAnswer(text: string, reference: string): AnswerGrade {
  const expected = extractBoxed(reference) ?? reference;
  if (!isReadable(expected)) throw unreadable('latex', reference);
  const extracted = latexAnswer(text);
  if (extracted === undefined) return { correct: false, extracted: null };
  return { correct: gradeLatex(extracted, expected), extracted: extracted.slice(0, LONGEST_LATEX) };
}

function markedAnswer(text: string): string | undefined {
  return extractBoxed(text) ?? extractAfterHashes(text) ?? extractAfterPhrase(text);
}

const EXPECTED: Readonly<Record<GradeKind, string>> = {
  exact: 'a text',
  number: 'one number',
  choice: 'a letter A to J, true, false, yes or no',
  name: 'a name or a sentence "X is a NAME"',
  list: 'a list',
  latex: `an answer of at most ${LONGEST_LATEX} characters with balanced braces`,
};

function unreadable(kind: GradeKind, reference: string): Error {
  const got = JSON.stringify(reference.length > 200 ? `${reference.slice(0, 200)}...` : reference);
  return new Error(`gradeAnswer: expected reference of kind '${kind}' to be ${EXPECTED[kind]}, got ${got}`);
}
