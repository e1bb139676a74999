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
  const openings = [...text.matchAll(/\\(?:boxed|fbox)\s*\{/g)];
  for (const opening of openings.reverse()) {
    const start = opening.index + opening[0].length;
    const end = closingBrace(text, start);
    if (end !== undefined) return text.slice(start, end).trim();
  }
  return undefined;
}

/** Gives what follows the last `#` up to the end of its line (`#### 18` in GSM8K, `# 18` in COCONUT), or `undefined`. */
export function extractAfterHashes(text: string): string | undefined {
  const marker = text.lastIndexOf('#');
  return marker < 0 ? undefined : firstLine(text.slice(marker + 1));
}

/** Gives the rest of the sentence or line after the last "answer is" or "answer:", in any case, or `undefined`. */
export function extractAfterPhrase(text: string): string | undefined {
  const last = [...text.matchAll(/\banswer\s*(?:is\s*:?|:)/gi)].at(-1);
  if (last === undefined) return undefined;
  const line = firstLine(text.slice(last.index + last[0].length));
  return line?.replace(/[.!?](?:\s.*)?$/, '').trim() || undefined;
}

/** Gives the last number of a text as it is written (`-1,234.5`, `3/4`, `1e-3`), or `undefined`. */
export function lastNumber(text: string): string | undefined {
  const number =
    /(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?(?:\/\d+)?|(?<!\d)[-−]?\.\d+/gi;
  return text.match(number)?.at(-1);
}

function closingBrace(text: string, start: number): number | undefined {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return undefined;
}

function firstLine(text: string): string | undefined {
  return text.trimStart().split('\n', 1)[0]!.trim() || undefined;
}
