import { extractAfterHashes, extractAfterPhrase, extractBoxed } from './extract-answer.js';
import { plainCharacters } from './plain-characters.js';

/** More of a text's end is not searched for a choice. */
const LONGEST_SEARCH = 20_000;

const TRUTH: Readonly<Record<string, string>> = { true: 'true', yes: 'true', false: 'false', no: 'false' };

/** What a choice is made among: letters, or the two truth values, which "yes" and "no" name as well. */
export type ChoiceSet = 'letters' | 'truth';

/** Reads a reference's choice: one letter A to J (`B`, `(b)`, `\text{(B)}`), or true, false, yes, no. */
export function referenceChoice(
  reference: string,
): { readonly set: ChoiceSet; readonly choice: string } | undefined {
  const marked = extractBoxed(reference) ?? extractAfterHashes(reference) ?? extractAfterPhrase(reference);
  for (const text of [reference, marked ?? '']) {
    const bare = bareText(text);
    const word = /^\W*(true|false|yes|no)\W*$/i.exec(bare)?.[1];
    if (word !== undefined) return { set: 'truth', choice: TRUTH[word.toLowerCase()]! };
    const letter = onlyLetter(bare) ?? labelledLetter(bare);
    if (letter !== undefined) return { set: 'letters', choice: letter };
  }
  return undefined;
}

/**
 * Takes the choice out of an answer text: out of the last box, after `####`, after "answer is", else the last choice.
 *
 * Letters: the only letter, else the last one in brackets or after "option", else the last capital alone (the words "A"
 * and "I" aside). Truth values: the word that the answer begins with, else the last one; "not true" is false.
 */
export function choiceAnswer(text: string, set: ChoiceSet): string | undefined {
  const choose = set === 'letters' ? letterIn : truthIn;
  const boxed = extractBoxed(text);
  if (boxed !== undefined) return choose(bareText(boxed));
  for (const extract of [extractAfterHashes, extractAfterPhrase]) {
    const marked = extract(text);
    const choice = marked && choose(bareText(marked));
    if (choice) return choice;
  }
  return choose(bareText(text.slice(-LONGEST_SEARCH)));
}

function bareText(text: string): string {
  return plainCharacters(text)
    .replace(/\\(?:text|textbf|textit|textrm|mathrm|mathbf|bf|rm|left|right)\b|\\[,;:! ]|[${}*_`]/g, ' ')
    .trim();
}

function letterIn(text: string): string | undefined {
  return onlyLetter(text) ?? labelledLetters(text).at(-1) ?? lonelyCapitals(text).at(-1);
}

function onlyLetter(text: string): string | undefined {
  return /^[^a-z0-9]*([a-j])[^a-z0-9]*$/i.exec(text.slice(0, 50))?.[1]?.toUpperCase();
}

/** A letter before its own option's text, at the start: `(B) 42`, `B. 42`, `B: 42`. */
function labelledLetter(text: string): string | undefined {
  return /^(?:\(([A-J])\)|([A-J])[).:])\s/i.exec(text)?.slice(1).find(Boolean)?.toUpperCase();
}

function labelledLetters(text: string): string[] {
  const labels = text.matchAll(
    /\(([A-J])\)|\b(?:option|choice|answer)\s\(?([A-J])\b(?! [a-z])|^([A-J])[).:]\s/gim,
  );
  return [...labels].map((label) => label.slice(1).find(Boolean)!.toUpperCase());
}

function lonelyCapitals(text: string): string[] {
  const capitals = text.match(/(?<![\w'’])[A-J](?![\w'’])(?: [a-z])?/g) ?? [];
  return capitals
    .filter((capital) => capital[0] !== 'I' && !(capital[0] === 'A' && capital.length > 1))
    .map((c) => c[0]!);
}

function truthIn(text: string): string | undefined {
  const bare = text.replace(/\b(?:true|yes)(?: or | and |\/)(?:false|no)\b/gi, ' ').trim();
  const begins = /^[^a-z]*(true|false|yes|no)\b(?! [a-z])/i.exec(bare)?.[1];
  if (begins !== undefined) return TRUTH[begins.toLowerCase()];
  const words = bare.matchAll(/\b(not )?(?:(true|false|yes)\b|(no)\b(?! [a-z]))/gi);
  let choice: string | undefined;
  for (const [, negation, word, no] of words) {
    const truth = TRUTH[(word ?? no)!.toLowerCase()]!;
    choice = negation === undefined ? truth : truth === 'true' ? 'false' : 'true';
  }
  return choice;
}
