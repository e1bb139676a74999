import { RANGES_PER_QUERY } from '@latent-sft/masks';
import type { ExampleRows } from './example-rows.js';

/** Range limits of a row. */
const LIMITS = RANGES_PER_QUERY * 2;

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
  const ranges = new Int32Array(length * LIMITS);
  for (let row = 0; row < rows.length; row++) {
    if (!needed[row]) continue;
    const to = place[row]!;
    ids[to] = rows.ids[row]!;
    positions[to] = rows.positions[row]!;
    renumber(rows.ranges, row, place, ranges, to);
  }
  const moved = (row: number) => place[row]!;
  return {
    length,
    ids,
    positions,
    ranges,
    latentRows: rows.latentRows.map(moved),
    beforeLatents: rows.beforeLatents.map(moved),
    targets: rows.targets.map(({ row, id, weight }) => ({ row: moved(row), id, weight })),
  };
}

/** 1 for each row that stays, uint8 [length]: what is read from, then all that is seen from there. */
function markNeeded({ length, ranges, latentRows, beforeLatents, targets }: ExampleRows): Uint8Array {
  const needed = new Uint8Array(length);
  // next[row]: the first row from there on that is not marked yet; each row is marked once
  const next = new Int32Array(length + 1);
  for (let row = 0; row <= length; row++) next[row] = row;
  const firstFrom = (row: number): number => {
    let found = row;
    while (next[found] !== found) found = next[found] = next[next[found]!]!;
    return found;
  };
  // rows whose keys are still to be marked
  const open = new Int32Array(length);
  let waiting = 0;
  const mark = (start: number, end: number): void => {
    for (let row = firstFrom(start); row < end; row = firstFrom(row)) {
      needed[row] = 1;
      next[row] = row + 1;
      open[waiting++] = row;
    }
  };
  for (const row of latentRows) mark(row, row + 1);
  for (const row of beforeLatents) mark(row, row + 1);
  for (const { row } of targets) mark(row, row + 1);
  while (waiting > 0) {
    const first = open[--waiting]! * LIMITS;
    for (let i = first; i < first + LIMITS; i += 2) mark(ranges[i]!, ranges[i + 1]!);
  }
  return needed;
}

/** Writes the ranges of a row among those that stay: what it saw with gaps between may now stand together. */
function renumber(from: Int32Array, row: number, place: Int32Array, ranges: Int32Array, to: number): void {
  const first = to * LIMITS;
  let at = first;
  for (let i = row * LIMITS; i < (row + 1) * LIMITS; i += 2) {
    const start = place[from[i]!]!;
    const end = place[from[i + 1]!]!;
    if (start === end) continue;
    if (at > first && ranges[at - 1] === start) ranges[at - 1] = end;
    else {
      ranges[at++] = start;
      ranges[at++] = end;
    }
  }
}
