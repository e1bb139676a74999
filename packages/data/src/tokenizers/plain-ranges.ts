import type { AddedTokenEntry } from './tokenizer-file.js';

/** Part of a text, from `start` up to but without `end`, in UTF-16 units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

type Encode = (text: string) => readonly number[];

/**
 * Encodes texts in which added tokens are recognised only outside of given ranges.
 *
 * Text between two recognised tokens is encoded as one, so that a range's edge changes no id by itself. The ranges
 * come in the order of the text, without overlap.
 *
 * @param encode Ids of a text, added tokens recognised.
 * @param encodePlain Ids of a text without added tokens.
 */
export function plainRangeEncoder(
  added: readonly AddedTokenEntry[],
  encode: Encode,
  encodePlain: Encode,
): (text: string, plain: readonly TextRange[]) => readonly number[] {
  if (added.length === 0) return encode;
  const tokens = new Map(added.map((token) => [token.content, token]));
  // the longest first: that is the one taken where several fit
  const contents = [...tokens.keys()].sort((left, right) => right.length - left.length);
  const escaped = contents.map((content) => content.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  const pattern = new RegExp(escaped.join('|'), 'g');
  const found = (text: string, start = 0, end = text.length) =>
    [...text.slice(start, end).matchAll(pattern)].map((match) => ({
      index: start + match.index,
      token: tokens.get(match[0])!,
    }));

  return (text, plain) => {
    const within = found(text).some(({ index, token }) =>
      plain.some(({ start, end }) => index < end && start < index + token.content.length),
    );
    if (!within) return encode(text);
    const starts = [0, ...plain.map(({ end }) => end)];
    const ends = [...plain.map(({ start }) => start), text.length];
    const outside = starts.flatMap((start, i) => found(text, start, ends[i]));
    return join(text, outside, encodePlain);
  };
}

function join(
  text: string,
  tokens: readonly { readonly index: number; readonly token: AddedTokenEntry }[],
  encodePlain: Encode,
): number[] {
  const ids: number[] = [];
  let start = 0;
  let strip = false;
  const take = (end: number, next?: AddedTokenEntry) => {
    let part = text.slice(start, end);
    if (strip) part = part.trimStart();
    if (next?.lstrip) part = part.trimEnd();
    if (part !== '') for (const id of encodePlain(part)) ids.push(id);
    if (next) ids.push(next.id);
    strip = next?.rstrip === true;
  };
  for (const { index, token } of tokens) {
    take(index, token);
    start = index + token.content.length;
  }
  take(text.length);
  return ids;
}
