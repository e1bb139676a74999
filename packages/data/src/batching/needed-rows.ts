import { RANGES_PER_QUERY } from '@latent-sft/masks';
import type { ExampleRows } from './example-rows.js';

/**
 * The same example without the rows that nobody reads, such as the last token of a chain or of a branch: a row stays
 * where it is a latent's, where a target or a student's latent is read from it, or where a row that stays sees it.
 * Those see what they saw, so every loss is the same, to rounding.
 */
export function neededRows(rows: ExampleRows): ExampleRows {
  const needed = markNeeded(rows);
  // place[row]: how many rows stay before it, int32 [length + 1]
  const place = new Int32Array(rows.length + 1);
  for (let row = 0; row < rows.length; row++) place[row + 1] = place[row]! + needed[row]!;
  const length = place[rows.length]!;
  if (length === rows.length) return rows;

  const ids = new Int32Array(length);
  const positions = new Int32Array(length);
  const ranges = new Int32Array(length * RANGES_PER_QUERY * 2);
  for (let row = 0; row < rows.length; row++) {
    if (!needed[row]) continue;
    const to = place[row]!;
    ids[to] = rows.ids[row]!;
    positions[to] = rows.positions[row]!;
    ranges.set(renumbered(rows.ranges, row, place), to * RANGES_PER_QUERY * 2);
  }
  const moved = (row: number) => place[row]!;
  return {
    length,
    ids,
    positions,
    ranges,
    latentRows: rows.latentRows.map(moved),
    beforeLatents: rows.beforeLatents.map(moved),
    targets: rows.targets.map((target) => ({ ...target, row: moved(target.row) })),
  };
}

/** 1 for each row that stays, uint8 [length]: what is read from, then all that is seen from there. */
function markNeeded(rows: ExampleRows): Uint8Array {
  const needed = new Uint8Array(rows.length);
  // next[row]: the first row from there on that is not marked yet; each row is marked once
  const next = Int32Array.from({ length: rows.length + 1 }, (_, row) => row);
  const firstFrom = (row: number): number => {
    let found = row;
    while (next[found] !== found) found = next[found] = next[next[found]!]!;
    return found;
  };
  const open: number[] = [];
  const mark = (start: number, end: number): void => {
    for (let row = firstFrom(start); row < end; row = firstFrom(row)) {
      needed[row] = 1;
      next[row] = row + 1;
      open.push(row);
    }
  };
  const read = [...rows.latentRows, ...rows.beforeLatents, ...rows.targets.map(({ row }) => row)];
  for (const row of read) mark(row, row + 1);
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    for (const [start, end] of rangesOf(rows.ranges, row)) mark(start, end);
  }
  return needed;
}

function rangesOf(ranges: Int32Array, row: number): [start: number, end: number][] {
  return Array.from({ length: RANGES_PER_QUERY }, (_, i) => {
    const bound = (row * RANGES_PER_QUERY + i) * 2;
    return [ranges[bound]!, ranges[bound + 1]!];
  });
}

/** The ranges of a row among those that stay: what it saw with gaps between may now stand together. */
function renumbered(ranges: Int32Array, row: number, place: Int32Array): number[] {
  const joined: number[] = [];
  for (const [start, end] of rangesOf(ranges, row)) {
    const [from, to] = [place[start]!, place[end]!];
    if (from === to) continue;
    if (joined.at(-1) === from) joined[joined.length - 1] = to;
    else joined.push(from, to);
  }
  return joined;
}
