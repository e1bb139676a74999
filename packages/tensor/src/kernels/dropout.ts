import { philox, streamKey, type Words } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { defineKernel, type KernelAttributes, runKernel } from '../kernel.js';

/** Names the draws of a dropout: the same seed, label and step drop the same numbers. */
export interface DropoutDraw {
  readonly seed: number;
  /** What is dropped, such as 'student/layer 3/attention'. */
  readonly label: string;
  readonly step: number;
}

/** 0 or the scale for each number: number i reads word i mod 4 of block i / 4 of the draw's stream. */
function factors(size: number, attributes: KernelAttributes): Float32Array {
  const { threshold, scale, stepLow, stepHigh, key0, key1 } = attributes as Record<string, number>;
  const drawn = new Float32Array(size);
  let block: Words = [0, 0, 0, 0];
  for (let i = 0; i < size; i++) {
    if (i % 4 === 0) block = philox([i / 4, stepLow!, stepHigh!, 0], [key0!, key1!]);
    drawn[i] = block[i % 4]! < threshold! ? 0 : scale!;
  }
  return drawn;
}

const scaled = (x: tf.Tensor, attributes: KernelAttributes) =>
  tf.mul(x, tf.tensor(factors(x.size, attributes), x.shape));

const kernel = defineKernel({
  name: 'LatentDropout',
  inputs: ['x'],
  outputs: 1,
  // the backward pass draws again
  saved: { inputs: [], outputs: [] },
  composition: {
    forward: ({ x }, attributes) => [scaled(x!, attributes)],
    backward: ({ outputGradients: [dy], attributes }) => ({ x: () => scaled(dy!, attributes) }),
  },
});

/**
 * Inverted dropout (Srivastava et al. 2014): each number is 0 with probability `rate`, else x / (1 - rate). What is
 * dropped is a function of the draw and the number's place, the same on every backend; it is drawn again for the
 * gradient and not kept.
 *
 * @param x float32 of any shape
 * @returns float32 of the shape of x
 * @throws if the rate is not within [0, 1).
 * @throws if the step is not a whole number of at least 0.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, draw: DropoutDraw): T {
  const attributes = drawAttributes('dropout', rate, draw);
  return attributes ? droppedBy(x, attributes) : tf.clone(x);
}

/** A draw as attributes of a kernel; null where nothing is dropped. Throws in the caller's name. */
export function drawAttributes(
  caller: string,
  rate: number,
  { seed, label, step }: DropoutDraw,
): KernelAttributes | null {
  if (!(rate >= 0 && rate < 1)) throw new Error(`${caller}: expected a rate within [0, 1), got ${rate}`);
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new Error(`${caller}: expected a step that is a whole number >= 0, got ${step}`);
  }
  if (rate === 0) return null;
  const [key0, key1] = streamKey(seed, label);
  return {
    threshold: Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1),
    scale: Math.fround(1 / (1 - rate)),
    stepLow: step >>> 0,
    stepHigh: Math.floor(step / 2 ** 32),
    key0,
    key1,
  };
}

/** Drops numbers by the attributes of a draw. */
export function droppedBy<T extends tf.Tensor>(x: T, attributes: KernelAttributes): T {
  return runKernel(kernel, { x }, attributes)[0] as T;
}
