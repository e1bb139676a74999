/**
 * Tells whether two answers are the same text, white space, case, dollar signs and a final full stop aside.
 */
export function gradeExact(answer: string, reference: string): boolean {
  return normalise(answer) === normalise(reference);
}

function normalise(text: string): string {
  return text.trim().replace(/\.$/, '').replace(/\\?\$/g, '').replace(/\s+/g, ' ').trim().toLowerCase();
}
