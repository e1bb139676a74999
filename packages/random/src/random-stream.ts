import { philox } from './philox.js';

/**
 * Arrays of random numbers addressed by what they are for, not by how many were drawn before: the same seed,
 * label and step give the same numbers however often a run was stopped and resumed.
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
  const key = streamKey(seed, label);
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

/**
 * The Philox key of a stream, for code that draws number by number where it needs them: word i of a step is word
 * i mod 4 of the counter [i / 4, step's low 32 bits, its high ones, 0].
 */
export function streamKey(seed: number, label: string): readonly [number, number] {
  return [seed >>> 0, hashLabel(label)];
}

/** FNV-1a, 32 bits. */
function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
