import { extractAfterHashes, extractAfterPhrase, extractBoxed } from './extract-answer.js';
import { parseNumber, plainNumberText } from './parse-number.js';

/** More of a text's end is not searched for a number. */
const LONGEST_SEARCH = 20_000;

/**
 * Takes the number out of an answer text: out of the last box, after `####`, after "answer is", else the last number.
 *
 * Of a box or a phrase the part after the last `=` counts, and of it the first number; units are dropped. A box without
 * a number, and two numbers joined by "or", are no answer.
 */
export function numberAnswer(text: string): string | undefined {
  const marked = markedNumber(text);
  return marked === undefined ? (onlyNumber(text) ?? numbersIn(text).at(-1)) : (marked ?? undefined);
}

/** Reads a reference: a number with or without a unit, or a text that marks one. */
export function referenceNumber(reference: string): string | undefined {
  return onlyNumber(reference) ?? markedNumber(reference) ?? undefined;
}

/** The marked number; `null` if what is marked is no number, `undefined` if nothing is marked. */
function markedNumber(text: string): string | null | undefined {
  const boxed = extractBoxed(text);
  if (boxed !== undefined) return firstNumber(boxed) ?? null;
  const hashes = extractAfterHashes(text);
  const afterHashes = hashes && onlyNumber(hashes);
  if (afterHashes) return afterHashes;
  const phrase = extractAfterPhrase(text);
  return phrase === undefined || numbersIn(phrase).length === 0 ? undefined : firstNumber(phrase);
}

/** The number that a text begins with, if it holds no other. */
function onlyNumber(text: string): string | undefined {
  if (parseNumber(text) !== undefined) return text.trim();
  const numbers = numbersIn(text);
  const begins = /^[^a-z0-9]*\d/i.test(plainNumberText(text.slice(0, 100)));
  return begins && numbers.length === 1 ? numbers[0] : undefined;
}

/** The number after the last `=`, else the first one; `null` if two are joined by "or". */
function firstNumber(content: string): string | null {
  const afterEquals = content.split(/=|\\approx|≈/).at(-1)!;
  if (parseNumber(afterEquals) !== undefined) return afterEquals.trim();
  const numbers = numbersIn(afterEquals);
  const undecided = numbers.length > 1 && /\bor\b/i.test(afterEquals);
  return undecided ? null : (numbers[0] ?? null);
}

function numbersIn(text: string): string[] {
  const plain = plainNumberText(text.slice(-LONGEST_SEARCH));
  const number =
    /(?<![\w.])[+-]?(?:\d+ \d+\/\d+|(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?(?: ?\/ ?\d+(?:\.\d+)?)?)(?: ?%)?|(?<![\d\w])[+-]?\.\d+(?: ?%)?/gi;
  return (plain.match(number) ?? []).filter((written) => parseNumber(written) !== undefined);
}
