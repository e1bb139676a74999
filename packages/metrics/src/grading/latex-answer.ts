import { extractAfterHashes, extractAfterPhrase, extractBoxed } from './extract-answer.js';
import { numberAnswer } from './number-answer.js';

/** More of a text's end is not searched for a formula. */
const LONGEST_SEARCH = 20_000;

/**
 * Takes the formula out of an answer text: out of the last box, after "answer is" or `####`, else the last formula in
 * dollars, else the last line if it is short, else the last number.
 */
export function latexAnswer(text: string): string | undefined {
  const marked = extractBoxed(text) ?? extractAfterPhrase(text) ?? extractAfterHashes(text);
  if (marked !== undefined) return marked === '' ? undefined : (onlyFormula(marked) ?? marked);
  const end = text.slice(-LONGEST_SEARCH).trim();
  const line = end.split('\n').at(-1)!.trim();
  const words = line.match(/(?<!\\)\b[a-zA-Z]{2,}\b/g) ?? [];
  return onlyFormula(end) ?? (line !== '' && words.length < 4 ? line : numberAnswer(end));
}

/** The last formula between dollars, `\(` and `\)`, or `\[` and `\]`. */
function onlyFormula(text: string): string | undefined {
  const formulas = text.match(/\$\$?[^$]{1,1000}\$\$?|\\\([\s\S]{1,1000}?\\\)|\\\[[\s\S]{1,1000}?\\\]/g);
  return formulas
    ?.at(-1)
    ?.replace(/^(?:\$+|\\[([])|(?:\$+|\\[)\]])$/g, '')
    .trim();
}
