import { parseLatex } from './latex/parse-latex.js';
import { sameAnswer } from './latex/same-answer.js';
import { tidyLatex } from './latex/tidy-latex.js';

/** A longer answer is wrong without being read. */
export const LONGEST_LATEX = 1000;

/**
 * Tells whether two answers in LaTeX are the same mathematics.
 *
 * Values are compared as values, rational ones exactly (`\frac{1}{2}` is 0.5, `0.333` is not `\frac{1}{3}`, `3.14` not
 * `\pi`), expressions at random points (`x(x+1)` is `x^2+x`), equations up to a factor, and `x = 5` is 5. Tuples,
 * intervals and matrices keep order and brackets; sets and lists without brackets have none. `\pm` gives two values. Of a
 * percent sign, degrees and units only those that differ count (`5 cm` is 5 but not 5 m; `10\%` is 10 and is 0.1). What
 * is no mathematics must be the same text.
 *
 * Whether an answer is simplified is not asked. Time is bounded by the length of the answers, at most 1,000 characters;
 * a longer one is wrong.
 */
export function gradeLatex(answer: string, reference: string): boolean {
  if (!isReadable(answer) || !isReadable(reference)) return false;
  const [left, right] = [tidyLatex(answer), tidyLatex(reference)];
  if (withoutText(left) === withoutText(right)) return true;
  const [one, other] = [parseLatex(left), parseLatex(right)];
  return one !== undefined && other !== undefined && sameAnswer(one, other);
}

/** Tells whether a text can be an answer at all: something but punctuation, at most 1,000 characters, braces balanced. */
export function isReadable(latex: string): boolean {
  if (latex.length > LONGEST_LATEX || tidyLatex(latex) === '') return false;
  let depth = 0;
  for (const brace of latex.match(/\\[\s\S]|[{}]/g) ?? []) {
    if (brace === '{') depth++;
    else if (brace === '}' && --depth < 0) return false;
  }
  return depth === 0;
}

function withoutText(latex: string): string {
  return latex
    .replace(/\\text\s*\{([^{}]*)\}/g, '$1')
    .replace(/\s+/g, '')
    .replace(/[.,;]+$/, '');
}
