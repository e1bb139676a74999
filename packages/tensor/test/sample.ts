import { randomStream } from '@latent-sft/random';

/** Numbers with a shape, in float64 but exactly representable in float32, so that both sides see the same. */
export interface Sample {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Standard normal numbers named by a label. */
export function normalSample(label: string, shape: readonly number[], scale = 1): Sample {
  const size = shape.reduce((product, length) => product * length, 1);
  const draws = randomStream(20251015, label).normal(size);
  return { shape, data: Float64Array.from(draws, (x) => Math.fround(x * scale)) };
}

/** Integers within [0, below) named by a label. */
export function integerSample(label: string, count: number, below: number): Int32Array {
  return Int32Array.from(randomStream(20251015, label).uniform(count), (u) => Math.floor(u * below));
}
