/**
 * Tells whether an answer picks the reference's letter.
 *
 * The choice of an answer is its only letter (`B`, `(b)`, `B.`), else the last capital that stands alone in it.
 *
 * @param letters Letters that may be chosen; default `ABCD`.
 * @throws If `reference` picks none of the letters.
 */
export function gradeChoice(answer: string, reference: string, letters = 'ABCD'): boolean {
  const expected = choiceOf(reference, letters);
  if (expected === undefined) {
    const got = JSON.stringify(reference);
    throw new Error(`gradeChoice: expected reference to pick one of ${letters}, got ${got}`);
  }
  return choiceOf(answer, letters) === expected;
}

function choiceOf(text: string, letters: string): string | undefined {
  const only = /^\W*([a-z])\W*$/i.exec(text)?.[1]?.toUpperCase();
  if (only !== undefined) return letters.includes(only) ? only : undefined;
  const alone = text.match(/\b[A-Z]\b/g) ?? [];
  return alone.findLast((letter) => letters.includes(letter));
}
