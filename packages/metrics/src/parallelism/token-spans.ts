import { checkInteger } from '../checks.js';

/**
 * Cuts a list into parts of nearly equal length: part t is `[floor(t L / T), floor((t + 1) L / T))`.
 *
 * Fewer tokens than parts leave some parts empty: 2 in 3 gives lengths 0, 1, 1.
 *
 * @param tokens The L tokens of a path.
 * @param parts T.
 * @throws If `parts` is not an integer of at least 1.
 */
export function tokenSpans(tokens: ArrayLike<number>, parts: number): number[][] {
  checkInteger('tokenSpans', 'parts', parts, 1);
  const list = Array.from(tokens);
  return Array.from({ length: parts }, (_, part) =>
    list.slice(Math.floor((part * list.length) / parts), Math.floor(((part + 1) * list.length) / parts)),
  );
}
