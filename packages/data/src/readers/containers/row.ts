import { type RecordError, sourceError } from '../source-error.js';

/** One row of a file, whatever it is kept in: a value, or what is wrong with it. */
export type Row =
  | { readonly place: string; readonly value: unknown }
  | { readonly place: string; readonly problem: RecordError };

/** Longer rows are refused, as no model reads them and no error should echo them. */
export const MAX_ROW_CHARACTERS = 2 ** 20;

/** The error for a row that is too long. */
export function tooLong(source: string, place: string, characters: number): RecordError {
  return sourceError(source, place, `at most ${MAX_ROW_CHARACTERS} characters a row`, String(characters));
}
