import { gradeChoice } from './grade-choice.js';
import { gradeExact } from './grade-exact.js';
import { gradeLatex } from './grade-latex.js';
import { gradeList } from './grade-list.js';
import { gradeNumeric } from './grade-number.js';

const GRADERS = {
  exact: gradeExact,
  numeric: gradeNumeric,
  choice: gradeChoice,
  list: gradeList,
  latex: gradeLatex,
};

/** How `grade` compares an extracted answer with its reference. */
export type ComparisonKind = keyof typeof GRADERS;

/**
 * Grades an answer that was already taken out of its text; one that was not found (`undefined`) is wrong.
 *
 * `gradeAnswer` does both, and knows more kinds.
 *
 * @throws If `kind` is unknown, or as the grader of that kind does.
 */
export function grade(answer: string | undefined, reference: string, kind: ComparisonKind): boolean {
  if (!Object.hasOwn(GRADERS, kind)) {
    const known = Object.keys(GRADERS).join(', ');
    throw new Error(`grade: expected kind to be one of ${known}, got ${JSON.stringify(kind)}`);
  }
  const right = GRADERS[kind](answer ?? '', reference);
  return answer !== undefined && right;
}
