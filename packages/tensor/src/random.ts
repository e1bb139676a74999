const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Four 32-bit words. */
type Words = [number, number, number, number];

/**
 * Philox4x32-10: four random 32-bit words as a pure function of a counter and a key
 * (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Words {
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

/**
 * Random numbers addressed by what they are for, not by how many were drawn before: the same seed, stream
 * and step give the same numbers however often a run was stopped and resumed.
 */
export interface RandomStream {
  /** Uniform in the open interval (0, 1), float32 [count]. */
  uniform(count: number): Float32Array;
  /** Standard normal by Box-Muller, float32 [count]. */
  normal(count: number): Float32Array;
  /** Gumbel(0, 1) = -log(-log u), float32 [count]. */
  gumbel(count: number): Float32Array;
  /** The integers 0..count-1 in random order (Fisher-Yates). */
  permutation(count: number): Uint32Array;
}

/** A random stream named by a seed, a label such as 'union/gumbel', and a step. */
export function randomStream(seed: number, label: string, step = 0): RandomStream {
  const key: [number, number] = [seed >>> 0, hashLabel(label)];
  const words = (count: number): Uint32Array => {
    const out = new Uint32Array(count);
    for (let i = 0; i < count; i += 4) {
      const block = philox([i / 4, step >>> 0, Math.floor(step / 2 ** 32) >>> 0, 0], key);
      for (let j = 0; j < 4 && i + j < count; j++) out[i + j] = block[j]!;
    }
    return out;
  };
  const uniform = (count: number) =>
    Float32Array.from(words(count), (word) => ((word >>> 9) + 0.5) / 2 ** 23);
  return {
    uniform,
    normal(count) {
      const draws = uniform(count + (count % 2));
      const out = new Float32Array(count);
      for (let i = 0; i < count; i += 2) {
        const radius = Math.sqrt(-2 * Math.log(draws[i]!));
        const angle = 2 * Math.PI * draws[i + 1]!;
        out[i] = radius * Math.cos(angle);
        if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
      }
      return out;
    },
    gumbel: (count) => uniform(count).map((u) => -Math.log(-Math.log(u))),
    permutation(count) {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      const draws = words(count);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor((draws[i]! / 2 ** 32) * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
  };
}

/** FNV-1a, 32 bits. */
function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
