import Complex from 'complex.js';
import type { Expression } from './expression.js';

/** Values of the variables by name. */
export type Point = (name: string) => number;

const FUNCTIONS: Readonly<Record<string, (operand: Complex) => Complex>> = {
  negate: (x) => x.neg(),
  degrees: (x) => x.mul(Math.PI / 180),
  absolute: (x) => new Complex(x.abs(), 0),
  floor: (x) => new Complex(Math.floor(x.re), 0),
  ceil: (x) => new Complex(Math.ceil(x.re), 0),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tan(),
  cot: (x) => x.cot(),
  sec: (x) => x.sec(),
  csc: (x) => x.csc(),
  sinh: (x) => x.sinh(),
  cosh: (x) => x.cosh(),
  tanh: (x) => x.tanh(),
  arcsin: (x) => x.asin(),
  arccos: (x) => x.acos(),
  arctan: (x) => x.atan(),
  exp: (x) => x.exp(),
  ln: (x) => x.log(),
};

const OPERATORS: Readonly<Record<string, (left: Complex, right: Complex) => Complex>> = {
  add: (a, b) => a.add(b),
  multiply: (a, b) => a.mul(b),
  divide: (a, b) => a.div(b),
  power: (a, b) => a.pow(b),
  root: (a, n) => realRoot(a, n),
  log: (a, base) => a.log().div(base.log()),
};

const CONSTANTS: Readonly<Record<string, Complex>> = {
  '\\pi': new Complex(Math.PI, 0),
  e: new Complex(Math.E, 0),
  i: new Complex(0, 1),
};

/** Computes a tree in complex double precision at a point; `undefined` if it has no finite value there. */
export function numericValue(expression: Expression, point: Point): Complex | undefined {
  const value = compute(expression, point);
  return value !== undefined && Number.isFinite(value.re) && Number.isFinite(value.im) ? value : undefined;
}

function compute(expression: Expression, point: Point): Complex | undefined {
  if (expression.kind === 'number') {
    const { digits, repeating } = expression;
    return new Complex(
      Number(repeating === undefined ? digits : digits + repeating.repeat(20).slice(0, 20)),
      0,
    );
  }
  if (expression.kind === 'symbol') {
    const { name } = expression;
    if (!isVariable(name)) return CONSTANTS[name];
    return new Complex(point(name), 0);
  }
  if (expression.kind !== 'apply') return undefined;
  const { name } = expression;
  const [left, right] = expression.operands.map((operand) => numericValue(operand, point));
  if (left === undefined) return undefined;
  if (Object.hasOwn(FUNCTIONS, name)) return FUNCTIONS[name]!(left);
  if (name === 'log' && expression.operands.length === 1) return left.log().div(Math.LN10);
  if (right === undefined || !Object.hasOwn(OPERATORS, name)) return undefined;
  return OPERATORS[name]!(left, right);
}

/** Tells whether a symbol stands for any number: not a constant, a set, infinity, or a numeral in another base. */
export function isVariable(name: string): boolean {
  return (
    !Object.hasOwn(CONSTANTS, name) && !/^(?:set |\d|\\(?:infty|emptyset|ldots|triangle|angle))/.test(name)
  );
}

function realRoot(radicand: Complex, index: Complex): Complex {
  const isOdd = index.im === 0 && Math.abs(index.re % 2) === 1;
  if (isOdd && radicand.im === 0 && radicand.re < 0)
    return new Complex(-((-radicand.re) ** (1 / index.re)), 0);
  return radicand.pow(new Complex(1, 0).div(index));
}
