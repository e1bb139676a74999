import { parseNumber } from './parse-number.js';

export interface NumericOptions {
  /** Largest accepted difference, relative to `max(1, |reference|)`; by default that of `sameNumber`. */
  readonly tolerance?: number;
  /** Also accept the reference times or over 100, as the authors' grader does; default false. */
  readonly percent?: boolean;
}

/**
 * Tells whether two answers are the same number.
 *
 * A percent sign is read as a unit where only one side has it: `25%` is 0.25 and is 25, but 0.25 is not 25. An answer
 * that is no number is wrong; a reference that is no number is an error of the data.
 *
 * @throws If `reference` is no number.
 * @throws If `tolerance` is not finite and at least 0.
 */
export function gradeNumeric(answer: string, reference: string, options: NumericOptions = {}): boolean {
  const { tolerance, percent = false } = options;
  checkTolerance('gradeNumeric', tolerance);
  const expected = parseNumber(reference);
  if (expected === undefined) {
    throw new Error(`gradeNumeric: expected reference to be a number, got ${JSON.stringify(reference)}`);
  }
  const value = parseNumber(answer);
  if (value === undefined) return false;
  const targets = percent ? [expected, expected * 100, expected / 100] : [expected];
  const inPercent = [answer, reference].map((text) => text.includes('%') || text.includes('\uff05'));
  if (inPercent[0] !== inPercent[1]) targets.push(inPercent[0] ? expected / 100 : expected * 100);
  return targets.some((target) =>
    tolerance === undefined
      ? sameNumber(value, target)
      : Math.abs(value - target) <= tolerance * Math.max(1, Math.abs(target)),
  );
}

/**
 * Tells whether two numbers are the same answer: integers exactly, others within 1e-4 (the authors' tolerance), but
 * never more than 1 % of the expected number and never less than its rounding, 1e-9 of it.
 */
export function sameNumber(value: number, expected: number): boolean {
  const difference = Math.abs(value - expected);
  if (Number.isInteger(value) && Number.isInteger(expected)) return difference === 0;
  const size = Math.abs(expected);
  return difference <= Math.max(Math.min(1e-4, size / 100), size * 1e-9);
}

export function checkTolerance(caller: string, tolerance: number | undefined): void {
  if (tolerance === undefined) return;
  if (!(tolerance >= 0) || !Number.isFinite(tolerance)) {
    throw new Error(`${caller}: expected tolerance to be finite and at least 0, got ${tolerance}`);
  }
}
