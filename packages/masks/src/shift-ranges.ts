/**
 * The same ranges `by` storage rows further on, for an example packed behind others in one row; unused ones stay `[0, 0)`.
 *
 * Packed examples then see only themselves, as a range never leaves its example.
 *
 * @throws if `by` is not a whole number.
 */
export function shiftRanges(ranges: Int32Array, by: number): Int32Array {
  if (!(Number.isInteger(by) && by >= 0)) {
    throw new Error(`shiftRanges: expected by to be a whole number, got ${by}`);
  }
  const shifted = new Int32Array(ranges.length);
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i + 1] === 0) continue;
    shifted[i] = ranges[i]! + by;
    shifted[i + 1] = ranges[i + 1]! + by;
  }
  return shifted;
}
