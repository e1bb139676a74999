/** Four 32-bit words, unsigned. */
export type Words = readonly [number, number, number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/**
 * Philox4x32-10: four random 32-bit words as a pure function of a counter and a key
 * (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, a);
    const low0 = Math.imul(MULTIPLIER_0, a) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c);
    const low1 = Math.imul(MULTIPLIER_1, c) >>> 0;
    a = (high1 ^ b ^ k0) >>> 0;
    b = low1;
    c = (high0 ^ d ^ k1) >>> 0;
    d = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [a, b, c, d];
}

/** The high 32 bits of a 32 x 32 bit product; Math.imul gives the low ones. */
function multiplyHigh(x: number, y: number): number {
  const x0 = x & 0xffff;
  const x1 = x >>> 16;
  const y0 = y & 0xffff;
  const y1 = y >>> 16;
  const low = x0 * y0;
  const middle = x1 * y0 + (low >>> 16);
  const carry = x0 * y1 + (middle & 0xffff);
  return (x1 * y1 + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}
