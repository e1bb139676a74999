const FACT = /(?:Every )?(\w+) is an? (\w+)\./g;
const CHOICE = /Is (\w+) (an?) (\w+) or (?:an? )?(\w+)\?\s*$/;

/** A graph question in sentences: what is asked, and the names in the order in which they stand. */
export interface SpokenQuestion {
  readonly names: readonly string[];
  /** An answer that the question allows; which one plays no part. */
  readonly possibleAnswer: string;
}

/** Reads `Every a is a b. ... Is x a b or c?`; null if the text asks something else. */
export function readSpokenQuestion(text: string): SpokenQuestion | null {
  const choice = CHOICE.exec(text);
  if (!choice) return null;
  const [, root, article, first, second] = choice as unknown as [string, string, string, string, string];
  const facts = [...text.matchAll(FACT)].flatMap(([, from, to]) => [from!, to!]);
  return { names: [...facts, root, first, second], possibleAnswer: `${root} is ${article} ${first}.` };
}

/**
 * Gives symbols their names back, in any text of symbols.
 *
 * @param names in the order of the question
 * @param question the same question in symbols
 */
export function namer(names: readonly string[], question: string): (text: string) => string {
  const symbols = question.split(' ').filter((word) => word !== '?');
  const nameOf = new Map(symbols.map((symbol, i) => [symbol, names[i]!]));
  return (text) =>
    text
      .split(' ')
      .map((word) => nameOf.get(word) ?? word)
      .join(' ');
}
