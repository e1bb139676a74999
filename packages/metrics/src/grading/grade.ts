import { parseNumber } from './parse-number.js';

export interface NumericOptions {
  /** Largest accepted difference, relative to `max(1, |reference|)`; default 1e-4. */
  readonly tolerance?: number;
  /** Also accept the reference times or over 100, as the authors' grader does; default false. */
  readonly percent?: boolean;
}

/** How an answer is compared with its reference. */
export type GradeKind = 'exact' | 'numeric' | 'choice' | 'list';

/**
 * Tells whether two answers are the same text, white space, case, dollar signs and a final full stop aside.
 */
export function gradeExact(answer: string, reference: string): boolean {
  return normalise(answer) === normalise(reference);
}

/**
 * Tells whether two answers are the same number: `|a - b| <= tolerance max(1, |b|)`.
 *
 * An answer that is no number is wrong; a reference that is no number is an error of the data.
 *
 * @throws If `reference` is no number.
 * @throws If `tolerance` is not finite and at least 0.
 */
export function gradeNumeric(answer: string, reference: string, options: NumericOptions = {}): boolean {
  const { tolerance = 1e-4, percent = false } = options;
  checkTolerance('gradeNumeric', tolerance);
  const expected = parseNumber(reference);
  if (expected === undefined) {
    throw new Error(`gradeNumeric: expected reference to be a number, got ${JSON.stringify(reference)}`);
  }
  const value = parseNumber(answer);
  if (value === undefined) return false;
  const accepted = percent ? [expected, expected * 100, expected / 100] : [expected];
  return accepted.some((target) => Math.abs(value - target) <= tolerance * Math.max(1, Math.abs(target)));
}

/**
 * Tells whether an answer picks the reference's letter.
 *
 * The choice of an answer is its only letter (`B`, `(b)`, `B.`), else the last capital that stands alone in it.
 *
 * @param letters Letters that may be chosen; default `ABCD`.
 * @throws If `reference` picks none of the letters.
 */
export function gradeChoice(answer: string, reference: string, letters = 'ABCD'): boolean {
  const expected = choiceOf(reference, letters);
  if (expected === undefined) {
    const got = JSON.stringify(reference);
    throw new Error(`gradeChoice: expected reference to pick one of ${letters}, got ${got}`);
  }
  return choiceOf(answer, letters) === expected;
}

/**
 * Tells whether two comma-separated lists hold the same elements, in any order.
 *
 * Elements are the same if they are equal numbers (within the tolerance) or the same text; outer brackets are
 * dropped. A comma right before three digits belongs to a number: `1,234` is one element, `1, 234` two.
 *
 * @throws If `tolerance` is not finite and at least 0.
 */
export function gradeList(answer: string, reference: string, options: NumericOptions = {}): boolean {
  checkTolerance('gradeList', options.tolerance ?? 0);
  const left = elements(answer);
  const right = elements(reference);
  if (left.length !== right.length) return false;
  for (const element of right) {
    const place = left.findIndex((candidate) => sameElement(candidate, element, options));
    if (place < 0) return false;
    left.splice(place, 1);
  }
  return true;
}

/**
 * Grades an answer by kind; an answer that was not found (`undefined`) is wrong.
 *
 * @throws If `kind` is unknown, or as the grader of that kind does.
 */
export function grade(answer: string | undefined, reference: string, kind: GradeKind): boolean {
  const graders = { exact: gradeExact, numeric: gradeNumeric, choice: gradeChoice, list: gradeList };
  if (!Object.hasOwn(graders, kind)) {
    const known = Object.keys(graders).join(', ');
    throw new Error(`grade: expected kind to be one of ${known}, got ${JSON.stringify(kind)}`);
  }
  const right = graders[kind](answer ?? '', reference);
  return answer !== undefined && right;
}

function checkTolerance(caller: string, tolerance: number): void {
  if (!(tolerance >= 0) || !Number.isFinite(tolerance)) {
    throw new Error(`${caller}: expected tolerance to be finite and at least 0, got ${tolerance}`);
  }
}

function normalise(text: string): string {
  return text.trim().replace(/\.$/, '').replace(/\\?\$/g, '').replace(/\s+/g, ' ').trim().toLowerCase();
}

function choiceOf(text: string, letters: string): string | undefined {
  const only = /^\W*([a-z])\W*$/i.exec(text)?.[1]?.toUpperCase();
  if (only !== undefined) return letters.includes(only) ? only : undefined;
  const alone = text.match(/\b[A-Z]\b/g) ?? [];
  return alone.findLast((letter) => letters.includes(letter));
}

function elements(text: string): string[] {
  const inner = text.trim().replace(/^[([{]|[)\]}]$/g, '');
  return inner.split(/,(?!\d{3}(?!\d))/).map((element) => element.trim());
}

function sameElement(left: string, right: string, options: NumericOptions): boolean {
  if (parseNumber(right) === undefined) return gradeExact(left, right);
  return gradeNumeric(left, right, options);
}
