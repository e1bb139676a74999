import { float16Value } from '../half-precision.js';

// Super-blocks of 256 values, by ggml's reference (`dequantize_row_q*_K` in ggml-quants.c). All products of
// a float16 scale, a 6- or 8-bit scale and a number are exact in double precision: one rounding, into float32.

const BLOCK = 256;

/**
 * Q4_K: float16 scale d and minimum scale e, eight 6-bit scales s and minima m, then 128 bytes of 4-bit
 * numbers q: each 32 bytes hold a run of 32 values in their low halves and the next run in their high ones.
 * Value = d s q - e m.
 */
export function dequantiseQ4_K(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 144) {
    const scale = halfAt(bytes, at);
    const minimumScale = halfAt(bytes, at + 2);
    for (let run = 0; run < 8; run++) {
      const runScale = scale * sixBitScale(bytes, at + 4, run);
      const minimum = minimumScale * sixBitMinimum(bytes, at + 4, run);
      const numbers = at + 16 + 32 * (run >> 1);
      const shift = 4 * (run & 1);
      for (let index = 0; index < 32; index++) {
        const number = (bytes[numbers + index]! >> shift) & 15;
        values[block + 32 * run + index] = runScale * number - minimum;
      }
    }
  }
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits in front of the numbers: bit r of byte i belongs to run r. */
export function dequantiseQ5_K(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 176) {
    const scale = halfAt(bytes, at);
    const minimumScale = halfAt(bytes, at + 2);
    for (let run = 0; run < 8; run++) {
      const runScale = scale * sixBitScale(bytes, at + 4, run);
      const minimum = minimumScale * sixBitMinimum(bytes, at + 4, run);
      const numbers = at + 48 + 32 * (run >> 1);
      const shift = 4 * (run & 1);
      for (let index = 0; index < 32; index++) {
        const fifth = (bytes[at + 16 + index]! >> run) & 1;
        const number = ((bytes[numbers + index]! >> shift) & 15) | (fifth << 4);
        values[block + 32 * run + index] = runScale * number - minimum;
      }
    }
  }
}

/**
 * Q6_K: 128 bytes of lower 4 bits, 64 bytes of upper 2 bits, 16 signed 8-bit scales s (one per 16 values),
 * float16 scale d. Each half of 128 values takes 64 and 32 of those bytes. Value = d s (q - 32).
 */
export function dequantiseQ6_K(bytes: Uint8Array, values: Float32Array): void {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 210) {
    const scale = halfAt(bytes, at + 208);
    for (let run = 0; run < 8; run++) {
      const half = run >> 2;
      const quarter = run & 3;
      const lower = at + 64 * half + 32 * (quarter & 1);
      const upper = at + 128 + 32 * half;
      const lowerShift = 4 * (quarter >> 1);
      const upperShift = 2 * quarter;
      for (let index = 0; index < 32; index++) {
        const low = (bytes[lower + index]! >> lowerShift) & 15;
        const high = (bytes[upper + index]! >> upperShift) & 3;
        const sixteenth = signed[at + 192 + 2 * run + (index >> 4)]!;
        values[block + 32 * run + index] = scale * sixteenth * ((low | (high << 4)) - 32);
      }
    }
  }
}

// Twelve bytes hold eight scales and eight minima: the first four of each in the lower 6 bits of bytes 0-3
// and 4-7; the last four in the halves of bytes 8-11, their upper 2 bits on top of bytes 0-3 and 4-7.
function sixBitScale(bytes: Uint8Array, at: number, run: number): number {
  if (run < 4) return bytes[at + run]! & 63;
  return (bytes[at + 4 + run]! & 15) | ((bytes[at + run - 4]! >> 6) << 4);
}

function sixBitMinimum(bytes: Uint8Array, at: number, run: number): number {
  if (run < 4) return bytes[at + 4 + run]! & 63;
  return (bytes[at + 4 + run]! >> 4) | ((bytes[at + run]! >> 6) << 4);
}

function halfAt(bytes: Uint8Array, at: number): number {
  return float16Value(bytes[at]! | (bytes[at + 1]! << 8));
}
