import type { AddedTokenEntry } from './check-tokenizer-file.js';

/** Part of a text, from `start` up to but without `end`, in UTF-16 units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Ids of a text in which added tokens are recognised only outside of the plain ranges.
 *
 * Text between two recognised tokens is encoded as one, so that a range's edge changes no id by itself.
 *
 * @param plain Ranges in the order of the text, without overlap.
 * @param encodeText Ids of a text without added tokens.
 */
export function encodePlain(
  text: string,
  plain: readonly TextRange[],
  added: readonly AddedTokenEntry[],
  encodeText: (text: string) => readonly number[],
): number[] {
  const ids: number[] = [];
  let start = 0;
  let strip = false;
  const take = (end: number, next?: AddedTokenEntry) => {
    let part = text.slice(start, end);
    if (strip) part = part.trimStart();
    if (next?.lstrip) part = part.trimEnd();
    if (part !== '') for (const id of encodeText(part)) ids.push(id);
    if (next) ids.push(next.id);
    strip = next?.rstrip === true;
  };
  for (const { index, token } of occurrences(text, plain, added)) {
    take(index, token);
    start = index + token.content.length;
  }
  take(text.length);
  return ids;
}

function occurrences(text: string, plain: readonly TextRange[], added: readonly AddedTokenEntry[]) {
  const byContent = new Map(added.map((token) => [token.content, token]));
  // the longest first: that is the one taken where several fit
  const contents = [...byContent.keys()].sort((left, right) => right.length - left.length);
  if (contents.length === 0) return [];
  const escaped = contents.map((content) => content.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  const pattern = new RegExp(escaped.join('|'), 'g');
  const starts = [0, ...plain.map(({ end }) => end)];
  const ends = [...plain.map(({ start }) => start), text.length];
  return starts.flatMap((start, i) =>
    [...text.slice(start, ends[i]).matchAll(pattern)].map((match) => ({
      index: start + match.index,
      token: byContent.get(match[0])!,
    })),
  );
}
