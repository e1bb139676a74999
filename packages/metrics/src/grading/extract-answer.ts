/** Where an answer can be found in a generated text. */
export type AnswerForm = 'boxed' | 'hashes' | 'phrase' | 'last-number';

export interface ExtractedAnswer {
  readonly answer: string;
  readonly form: AnswerForm;
}

const EXTRACTORS: Readonly<Record<AnswerForm, (text: string) => string | undefined>> = {
  boxed: extractBoxed,
  hashes: extractAfterHashes,
  phrase: extractAfterPhrase,
  'last-number': lastNumber,
};

/**
 * Takes the answer out of a generated text by the first form that is there.
 *
 * Pass the text after the end marker only: a box written by the tokens of latent steps is no answer (arXiv
 * 2510.15522's evaluation decodes both into one text and would count it).
 *
 * @param text Generated text.
 * @param forms Forms to try, in order; default all four: boxed, hashes, phrase, last number.
 * @returns The answer and its form, or `undefined` if no form is there.
 * @throws If `forms` is empty or names an unknown form.
 */
export function extractAnswer(
  text: string,
  forms: readonly AnswerForm[] = ['boxed', 'hashes', 'phrase', 'last-number'],
): ExtractedAnswer | undefined {
  if (forms.length === 0) throw new Error('extractAnswer: expected at least 1 form, got none');
  for (const form of forms) {
    if (!Object.hasOwn(EXTRACTORS, form)) {
      const known = Object.keys(EXTRACTORS).join(', ');
      throw new Error(`extractAnswer: expected forms among ${known}, got ${JSON.stringify(form)}`);
    }
  }
  for (const form of forms) {
    const answer = EXTRACTORS[form](text);
    if (answer !== undefined) return { answer, form };
  }
  return undefined;
}

/**
 * Gives the content of the last `\boxed{...}` or `\fbox{...}` with balanced braces, trimmed, or `undefined`.
 *
 * `\{` and `\}` are text, not braces. A box that never closes is no answer; an earlier closed one then counts.
 */
export function extractBoxed(text: string): string | undefined {
  const open: { readonly isBox: boolean; readonly start: number }[] = [];
  let last: { readonly start: number; readonly end: number } | undefined;
  for (const { 0: token, index } of text.matchAll(/\\{1,2}(?:boxed|fbox) {0,9}\{|\\[\s\S]|[{}]/g)) {
    if (token === '{' || token.length > 2) {
      open.push({ isBox: token.length > 2, start: index + token.length });
    } else if (token === '}') {
      const opening = open.pop();
      if (opening?.isBox && opening.start > (last?.start ?? -1)) last = { start: opening.start, end: index };
    }
  }
  return last && text.slice(last.start, last.end).trim();
}

/** Gives what follows the last `#` up to the end of its line (`#### 18` in GSM8K, `# 18` in COCONUT), or `undefined`. */
export function extractAfterHashes(text: string): string | undefined {
  const marker = text.lastIndexOf('#');
  return marker < 0 ? undefined : firstLine(text.slice(marker + 1));
}

/** Gives the rest of the sentence or line after the last "answer is" or "answer:", in any case, or `undefined`. */
export function extractAfterPhrase(text: string): string | undefined {
  let end: number | undefined;
  for (const phrase of text.matchAll(/\banswers? ?\*{0,2} ?(?:(?:is|are) ?:?|:)/gi)) {
    end = phrase.index + phrase[0].length;
  }
  if (end === undefined) return undefined;
  const line = firstLine(text.slice(end));
  return line?.replace(/[.!?](?:\s.*)?$/, '').trim() || undefined;
}

/** Gives the last number of a text as it is written (`-1,234.5`, `3/4`, `1e-3`), or `undefined`. */
export function lastNumber(text: string): string | undefined {
  const number =
    /(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?(?:\/\d+)?|(?<!\d)[-−]?\.\d+/gi;
  let last: string | undefined;
  for (const match of text.matchAll(number)) last = match[0];
  return last;
}

/** A line longer than this holds more than an answer. */
const LONGEST_LINE = 1000;

function firstLine(text: string): string | undefined {
  const start = text.search(/\S/);
  if (start < 0) return undefined;
  return text
    .slice(start, start + LONGEST_LINE)
    .split('\n', 1)[0]!
    .trim();
}
