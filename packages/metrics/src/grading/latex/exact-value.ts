import Fraction from 'fraction.js';
import type { Expression } from './expression.js';

/** Larger numbers than about 2^2048 are not computed exactly. */
const MOST_BITS = 2048;

/** Of 300 or so the factorial has 2,048 bits. */
const LARGEST_FACTORIAL = 300n;

/** A tree is computed once, however many others it is compared with. */
const computed = new WeakMap<Expression, { readonly value: Fraction | undefined }>();

/**
 * Computes a tree of rational numbers exactly; `undefined` if it is none or grows beyond 2,048 bits.
 */
export function exactValue(expression: Expression): Fraction | undefined {
  const known = computed.get(expression);
  if (known !== undefined) return known.value;
  const value = compute(expression);
  computed.set(expression, { value });
  return value;
}

function compute(expression: Expression): Fraction | undefined {
  if (expression.kind === 'number') {
    const { digits, repeating } = expression;
    const decimal = repeating === undefined ? digits : `${digits}(${repeating})`;
    return new Fraction(decimal.startsWith('.') ? `0${decimal}` : decimal);
  }
  if (expression.kind !== 'apply') return undefined;
  const operands: Fraction[] = [];
  for (const operand of expression.operands) {
    const value = exactValue(operand);
    if (value === undefined) return undefined;
    operands.push(value);
  }
  const [left, right] = operands as [Fraction, Fraction];
  switch (expression.name) {
    case 'add':
      return bounded(left.add(right));
    case 'negate':
      return left.neg();
    case 'multiply':
      return bounded(left.mul(right));
    case 'divide':
      return right.equals(0) ? undefined : bounded(left.div(right));
    case 'power':
      return integerPower(left, right);
    case 'factorial':
      return factorial(left);
    case 'binom':
      return binomial(left, right);
    case 'absolute':
      return left.abs();
    case 'floor':
      return left.floor();
    case 'ceil':
      return left.ceil();
    default:
      return undefined;
  }
}

function bounded(value: Fraction): Fraction | undefined {
  return bits(value) <= MOST_BITS ? value : undefined;
}

function bits({ n, d }: Fraction): number {
  return Math.max(n.toString(2).length, d.toString(2).length);
}

function integerPower(base: Fraction, exponent: Fraction): Fraction | undefined {
  if (exponent.d !== 1n) return undefined;
  if (base.equals(0)) return exponent.s > 0n ? base : undefined;
  if (Number(exponent.n) * bits(base) > MOST_BITS) return undefined;
  return base.pow(exponent) ?? undefined;
}

function factorial(count: Fraction): Fraction | undefined {
  if (count.d !== 1n || count.s < 0n || count.n > LARGEST_FACTORIAL) return undefined;
  let value = 1n;
  for (let factor = 2n; factor <= count.n; factor++) value *= factor;
  return new Fraction(value);
}

function binomial(all: Fraction, chosen: Fraction): Fraction | undefined {
  const [total, left, right] = [all, chosen, all.sub(chosen)].map(factorial);
  return total && left && right && total.div(left.mul(right));
}
