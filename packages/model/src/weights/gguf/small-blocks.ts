import { float16Value } from '../half-precision.js';

// Blocks of 32 values, by ggml's reference (`dequantize_row_q*` in ggml-quants.c). Products of a float16 scale
// and a small integer are exact in double precision, so each value is rounded once, on its way into float32.

const BLOCK = 32;
const HALF = 16;

/** Q4_0: float16 scale d, then 16 bytes of two 4-bit numbers q; low halves come first. Value = d (q - 8). */
export function dequantiseQ4_0(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 18) {
    const scale = halfAt(bytes, at);
    for (let index = 0; index < HALF; index++) {
      const pair = bytes[at + 2 + index]!;
      values[block + index] = scale * ((pair & 15) - 8);
      values[block + HALF + index] = scale * ((pair >> 4) - 8);
    }
  }
}

/** Q4_1: float16 scale d and minimum m, then numbers as in Q4_0. Value = d q + m. */
export function dequantiseQ4_1(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 20) {
    const scale = halfAt(bytes, at);
    const minimum = halfAt(bytes, at + 2);
    for (let index = 0; index < HALF; index++) {
      const pair = bytes[at + 4 + index]!;
      values[block + index] = scale * (pair & 15) + minimum;
      values[block + HALF + index] = scale * (pair >> 4) + minimum;
    }
  }
}

/** Q5_0: float16 scale d, 32 fifth bits, then the lower 4 bits as in Q4_0. Value = d (q - 16). */
export function dequantiseQ5_0(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 22) {
    const scale = halfAt(bytes, at);
    const fifths = wordAt(bytes, at + 2);
    for (let index = 0; index < HALF; index++) {
      const pair = bytes[at + 6 + index]!;
      const low = (pair & 15) | (((fifths >>> index) & 1) << 4);
      const high = (pair >> 4) | (((fifths >>> (index + HALF)) & 1) << 4);
      values[block + index] = scale * (low - 16);
      values[block + HALF + index] = scale * (high - 16);
    }
  }
}

/** Q5_1: float16 scale d and minimum m, then 5-bit numbers as in Q5_0. Value = d q + m. */
export function dequantiseQ5_1(bytes: Uint8Array, values: Float32Array): void {
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 24) {
    const scale = halfAt(bytes, at);
    const minimum = halfAt(bytes, at + 2);
    const fifths = wordAt(bytes, at + 4);
    for (let index = 0; index < HALF; index++) {
      const pair = bytes[at + 8 + index]!;
      const low = (pair & 15) | (((fifths >>> index) & 1) << 4);
      const high = (pair >> 4) | (((fifths >>> (index + HALF)) & 1) << 4);
      values[block + index] = scale * low + minimum;
      values[block + HALF + index] = scale * high + minimum;
    }
  }
}

/** Q8_0: float16 scale d, then 32 signed bytes q. Value = d q. */
export function dequantiseQ8_0(bytes: Uint8Array, values: Float32Array): void {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0, at = 0; block < values.length; block += BLOCK, at += 34) {
    const scale = halfAt(bytes, at);
    for (let index = 0; index < BLOCK; index++) values[block + index] = scale * signed[at + 2 + index]!;
  }
}

function halfAt(bytes: Uint8Array, at: number): number {
  return float16Value(bytes[at]! | (bytes[at + 1]! << 8));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
