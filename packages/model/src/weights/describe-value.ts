const MAX_LENGTH = 80;

/** A parsed JSON value in a message: its text, cut where it is long; `nothing` for a missing one. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    return 'a value nested too deeply'; // the only way in which parsed JSON cannot be written again
  }
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}...`;
}
