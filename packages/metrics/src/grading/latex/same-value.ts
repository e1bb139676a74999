import type Complex from 'complex.js';
import { exactValue } from './exact-value.js';
import { type Expression, structureOf } from './expression.js';
import { numericValue, type Point } from './numeric-value.js';

/** Relative difference that rounding in double precision explains. */
const ROUNDING = 1e-9;

/** Variables are positive in the first two points and of either sign in the others. */
const POINTS: readonly Point[] = [0, 1, 2, 3].map((round) => (name) => coordinate(name, round));

/**
 * Tells whether two trees have the same value, whatever their variables are.
 *
 * Rational numbers are compared exactly (1/3 is not 0.3333), the rest in double precision at four points
 * (a polynomial identity that holds at random points holds); what has no finite value by its structure.
 */
export function sameValue(left: Expression, right: Expression): boolean {
  const [one, other] = [exactValue(left), exactValue(right)];
  if (one !== undefined && other !== undefined) return one.equals(other);
  let compared = 0;
  for (const point of POINTS) {
    const [a, b] = [numericValue(left, point), numericValue(right, point)];
    if ((a === undefined) !== (b === undefined)) return false;
    if (a === undefined || b === undefined) continue;
    if (!isClose(a, b)) return false;
    compared++;
  }
  return compared > 0 || structureOf(left) === structureOf(right);
}

/** Tells whether `left = 0` and `right = 0` say the same: the quotient is one number other than 0 at all points. */
export function sameZeros(left: Expression, right: Expression): boolean {
  let quotient: Complex | undefined;
  for (const point of POINTS) {
    const [a, b] = [numericValue(left, point), numericValue(right, point)];
    if (a === undefined || b === undefined) return false;
    if (a.abs() === 0 || b.abs() === 0) {
      if (a.abs() !== b.abs()) return false;
      continue;
    }
    const here = a.div(b);
    if (quotient !== undefined && !isClose(here, quotient)) return false;
    quotient = here;
  }
  return true;
}

function isClose(a: Complex, b: Complex): boolean {
  return a.sub(b).abs() <= ROUNDING * Math.max(a.abs(), b.abs(), 1e-6);
}

/** A number between 0.5 and 2, by the name (FNV-1a) and the round. */
function coordinate(name: string, round: number): number {
  let hash = 0x811c9dc5 ^ round;
  for (const character of `${name}${round}`)
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  const size = 0.5 + (1.5 * (hash >>> 8)) / 2 ** 24;
  return round >= 2 && hash % 2 === 1 ? -size : size;
}
