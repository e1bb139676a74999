import { gradeExact } from './grade-exact.js';
import { checkTolerance, gradeNumeric, type NumericOptions } from './grade-number.js';
import { parseNumber } from './parse-number.js';

/** A list with more elements than this is not compared. */
const LONGEST_LIST = 1000;

/**
 * Tells whether two comma-separated lists hold the same elements, in any order.
 *
 * Elements are the same if they are equal numbers (within the tolerance) or the same text; outer brackets are
 * dropped. A comma right before three digits belongs to a number: `1,234` is one element, `1, 234` two. A list of more
 * than 1,000 elements is wrong.
 *
 * @throws If `tolerance` is not finite and at least 0.
 */
export function gradeList(answer: string, reference: string, options: NumericOptions = {}): boolean {
  checkTolerance('gradeList', options.tolerance);
  const left = elements(answer);
  const right = elements(reference);
  if (left.length !== right.length || left.length > LONGEST_LIST) return false;
  for (const element of right) {
    const place = left.findIndex((candidate) => sameElement(candidate, element, options));
    if (place < 0) return false;
    left.splice(place, 1);
  }
  return true;
}

function elements(text: string): string[] {
  const inner = text.trim().replace(/^(?:\\left)?\s?(?:\\\{|[([{])|(?:\\right)?\s?(?:\\\}|[)\]}])$/g, '');
  return inner
    .split(/,(?!\d{3}(?!\d))|;|\band\b/, LONGEST_LIST + 1)
    .flatMap((element) => element.trim() || []);
}

function sameElement(left: string, right: string, options: NumericOptions): boolean {
  if (parseNumber(right) === undefined) return gradeExact(left, right);
  return gradeNumeric(left, right, options);
}
