/**
 * Widens IEEE 754 half-precision values; exact.
 * @param halves The 16-bit patterns.
 */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) bits[index] = float16Bits[halves[index]!]!;
  return new Float32Array(bits.buffer);
}

/** Widens one IEEE 754 half-precision value; exact. */
export function float16Value(half: number): number {
  return float16Values[half]!;
}

/**
 * Widens bfloat16 values; exact, for they are the upper halves of float32 patterns.
 * @param halves The 16-bit patterns.
 */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) bits[index] = halves[index]! << 16;
  return new Float32Array(bits.buffer);
}

/**
 * Rounds to IEEE 754 half precision, to nearest, ties to even; beyond 65504 becomes infinity.
 * @returns The 16-bit patterns.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const sign = (bits[index]! >>> 16) & 0x8000;
    halves[index] = sign | roundToFloat16(bits[index]! & 0x7fffffff);
  }
  return halves;
}

/**
 * Rounds to bfloat16, to nearest, ties to even; NaN stays NaN.
 * @returns The 16-bit patterns.
 */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const pattern = bits[index]!;
    const upper = pattern >>> 16;
    const notANumber = (pattern & 0x7fffffff) > 0x7f800000;
    // adding 0x7fff, and one more where the kept part is odd, carries exactly when rounding up
    halves[index] = notANumber ? upper | 0x40 : (pattern + 0x7fff + (upper & 1)) / 0x10000;
  }
  return halves;
}

const float16Bits = Uint32Array.from({ length: 1 << 16 }, (_, half) => widen(half));
const float16Values = new Float32Array(float16Bits.buffer);

function widen(half: number): number {
  const sign = ((half & 0x8000) << 16) >>> 0;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign;
  // A subnormal half, fraction x 2^-24, is a normal float32.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

function roundToFloat16(magnitude: number): number {
  if (magnitude > 0x7f800000) return 0x7e00; // NaN
  if (magnitude >= 0x47800000) return 0x7c00; // 65536 and more
  const isNormal = magnitude >= 0x38800000; // 2^-14
  if (magnitude < 0x33000000) return 0; // less than half of the smallest half
  const exponent = magnitude >>> 23;
  const droppedBits = isNormal ? 13 : 126 - exponent;
  const significand = isNormal ? magnitude - (112 << 23) : (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> droppedBits;
  const rest = significand & ((1 << droppedBits) - 1);
  const half = 1 << (droppedBits - 1);
  // A carry out of the fraction moves into the exponent, which is the right rounding, up to infinity.
  return rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept;
}
