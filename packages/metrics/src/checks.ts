/** Vectors as rows: `[n, d]`. */
export type Rows = readonly ArrayLike<number>[];

/** @throws If `value` is not an integer of at least `least`. */
export function checkInteger(caller: string, name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`${caller}: expected ${name} to be an integer of at least ${least}, got ${value}`);
  }
}

/** @throws If `values` is empty or holds a value that is not finite. */
export function checkFinite(caller: string, name: string, values: ArrayLike<number>): void {
  if (values.length === 0) throw new Error(`${caller}: expected ${name} to hold numbers, got none`);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new Error(`${caller}: expected ${name} to be finite, got ${values[i]} at ${i}`);
    }
  }
}

/**
 * Checks rows of one width and gives it.
 *
 * @throws If there are fewer than `least` rows, a row is empty or of another width, or a value is not finite.
 */
export function checkRows(caller: string, name: string, rows: Rows, least = 1): number {
  if (rows.length < least) {
    throw new Error(`${caller}: expected ${name} to have at least ${least} rows, got ${rows.length}`);
  }
  const width = rows[0]!.length;
  rows.forEach((row, i) => {
    if (row.length !== width) {
      throw new Error(`${caller}: expected ${name} to have rows of ${width}, got ${row.length} at row ${i}`);
    }
    checkFinite(caller, `row ${i} of ${name}`, row);
  });
  return width;
}
