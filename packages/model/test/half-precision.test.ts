import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../src/index.js';

/** The value of a half by its definition (IEEE 754-2008, 3.4). */
function valueOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe('half precision', () => {
  const every = Uint16Array.from({ length: 65536 }, (_, half) => half);

  it('widens all 65,536 halves exactly', () => {
    const widened = float16ToFloat32(every);
    for (const half of every) expect(Object.is(widened[half], valueOfHalf(half))).toBe(true);
  });

  it('narrows every half to itself', () => {
    const finite = every.filter((half) => !Number.isNaN(valueOfHalf(half)));
    expect(float32ToFloat16(float16ToFloat32(finite))).toEqual(finite);
    expect(float32ToFloat16(Float32Array.of(NaN))).toEqual(Uint16Array.of(0x7e00));
  });

  it('rounds to the nearest half, ties to even', () => {
    const float = fc.oneof(
      fc.float({ noNaN: true, min: -70000, max: 70000 }),
      fc.float({ noNaN: true, min: -(2 ** -13), max: 2 ** -13 }),
    );
    fc.assert(
      fc.property(float, (value) => {
        const half = float32ToFloat16(Float32Array.of(value))[0]!;
        const magnitude = Math.abs(value);
        const low = half & 0x7fff;
        const error = (candidate: number): number =>
          Math.abs((candidate === 0x7c00 ? 65536 : valueOfHalf(candidate)) - magnitude);
        if (magnitude >= 65536) expect(low).toBe(0x7c00);
        for (const neighbour of [low - 1, low + 1].filter((other) => other >= 0 && other <= 0x7c00)) {
          if (magnitude >= 65536) continue;
          expect(error(low)).toBeLessThanOrEqual(error(neighbour));
          if (error(low) === error(neighbour)) expect(low % 2).toBe(0);
        }
        expect(half >> 15).toBe(Object.is(Math.sign(value), -0) || value < 0 ? 1 : 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('widens bfloat16 by its bits', () => {
    const halves = Uint16Array.of(0x3f80, 0xbf80, 0x0000, 0x8000, 0x7f80, 0x4049, 0x0001);
    const expected = [1, -1, 0, -0, Infinity, 3.140625, 2 ** -133];
    expect([...bfloat16ToFloat32(halves)]).toEqual(expected);
  });

  it('narrows every bfloat16 to itself, and NaN to NaN', () => {
    const finite = every.filter((half) => (half & 0x7fff) <= 0x7f80);
    expect(float32ToBfloat16(bfloat16ToFloat32(finite))).toEqual(finite);
    // a NaN whose upper half alone would be infinity
    const odd = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    expect(bfloat16ToFloat32(float32ToBfloat16(odd))[0]).toBeNaN();
  });

  it('rounds to the nearest bfloat16, ties to even', () => {
    const rounded = (value: number) => bfloat16ToFloat32(float32ToBfloat16(Float32Array.of(value)))[0];
    const step = 2 ** -7; // between 1 and 2
    expect(rounded(1 + 0.5 * step)).toBe(1);
    expect(rounded(1 + 1.5 * step)).toBe(1 + 2 * step);
    expect(rounded(-1 - 0.51 * step)).toBe(-1 - step);
    expect(rounded(1 + 0.49 * step)).toBe(1);
    expect(rounded(3.4028235e38)).toBe(Infinity);
  });
});
