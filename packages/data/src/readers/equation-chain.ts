import { evaluateArithmetic } from './arithmetic.js';

/** A solution's calculator annotations as a chain of equations, and whether they hold. */
export interface EquationChain {
  /** The annotations in order, brackets kept: `<<16-3-4=9>>`. */
  readonly steps: string[];
  /** Whether the left side of every step has the value of its right side. */
  readonly recomputes: boolean;
  /** Whether there is a last step and its result is the answer after `####`. */
  readonly endsInAnswer: boolean;
}

const ANNOTATION = /<<([^<>]*)>>/g;
const RELATIVE_ERROR = 1e-9;

/** The equations of a solution in the form of GSM8K (arXiv 2110.14168): `… <<48/2=24>>24 …\n#### 72`. */
export function equationChain(solution: string): EquationChain {
  const mark = solution.lastIndexOf('####');
  const body = mark < 0 ? solution : solution.slice(0, mark);
  const answer = mark < 0 ? null : evaluateArithmetic(solution.slice(mark + 4));
  const equations = [...body.matchAll(ANNOTATION)].map((match) => readEquation(match[1]!));
  const last = equations.at(-1);
  return {
    steps: equations.map(({ text }) => `<<${text}>>`),
    recomputes: equations.every(({ left, right }) => agree(left, right)),
    endsInAnswer: last !== undefined && agree(last.right, answer),
  };
}

function readEquation(annotation: string): { text: string; left: number | null; right: number | null } {
  const text = annotation.trim();
  const sign = text.lastIndexOf('=');
  if (sign < 0) return { text, left: null, right: null };
  return {
    text,
    left: evaluateArithmetic(text.slice(0, sign)),
    right: evaluateArithmetic(text.slice(sign + 1)),
  };
}

function agree(left: number | null, right: number | null): boolean {
  if (left === null || right === null) return false;
  return Math.abs(left - right) <= RELATIVE_ERROR * Math.max(1, Math.abs(left), Math.abs(right));
}
