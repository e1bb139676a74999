import { extractAfterHashes, extractAfterPhrase, extractBoxed } from './extract-answer.js';
import { plainCharacters } from './plain-characters.js';

/** More of a text's end is not searched for a name. */
const LONGEST_SEARCH = 20_000;

/** Who is what: `Alex is a lempus.` A bare `lempus` says no subject. */
export interface NameClaim {
  readonly subject?: string;
  readonly negated: boolean;
  readonly name: string;
}

/** Reads a reference: a claim (`Alex is a lempus.`) or a bare name. */
export function referenceName(reference: string): NameClaim | undefined {
  return nameAnswer(reference);
}

/**
 * Takes the name out of an answer text: the last sentence `X is a NAME`, of the marked part if there is one, else of the
 * whole text; without such a sentence the part itself, if it is no sentence.
 */
export function nameAnswer(text: string): NameClaim | undefined {
  const marked = extractBoxed(text) ?? extractAfterPhrase(text) ?? extractAfterHashes(text);
  const words = plainWords(marked ?? text.slice(-LONGEST_SEARCH));
  const claims = words.matchAll(
    /([a-z][\w'-]*) (?:is|are|was|were) (not )?(?:(?:an?|the) )?([^.,;:!?\n]+)/gi,
  );
  let last: NameClaim | undefined;
  for (const [, subject, negation, name] of claims) last = claim(subject, negation !== undefined, name!);
  if (last !== undefined) return last;
  const bare = /^(not )?(?:(?:an?|the) )?([^.,;:!?\n]+)[.,;:!?]*$/i.exec(words);
  return bare === null ? undefined : claim(undefined, bare[1] !== undefined, bare[2]!);
}

/** Tells whether two claims name the same; a subject counts only if both say one, and a pronoun says none. */
export function sameName(claim: NameClaim, expected: NameClaim): boolean {
  const sameSubject =
    claim.subject === undefined || expected.subject === undefined || claim.subject === expected.subject;
  return sameSubject && claim.negated === expected.negated && claim.name === expected.name;
}

function claim(subject: string | undefined, negated: boolean, name: string): NameClaim {
  const who = subject?.toLowerCase();
  const isNamed = who !== undefined && !/^(?:it|he|she|they|this|that|answer|answers|name|type)$/.test(who);
  return { ...(isNamed && { subject: who }), negated, name: name.trim().toLowerCase() };
}

function plainWords(text: string): string {
  return plainCharacters(text)
    .replace(/\\(?:text|textbf|textit|mathrm)\b|[${}*_`"]/g, ' ')
    .replace(/[ ]+/g, ' ')
    .trim();
}
