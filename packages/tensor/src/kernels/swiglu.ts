import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentSwiglu',
  inputs: ['gate', 'up'],
  outputs: 1,
  saved: { inputs: ['gate', 'up'], outputs: [] },
  composition: {
    forward: ({ gate, up }) => [tf.mul(tf.mul(gate!, tf.sigmoid(gate!)), up!)],
    backward: ({ outputGradients: [dy], inputs: { gate, up } }) => {
      const s = tf.sigmoid(gate!);
      const silu = tf.mul(gate!, s);
      return {
        // d silu = s + silu (1 - s) = s - silu s + silu
        gate: () => tf.mul(tf.mul(dy!, up!), tf.add(s, tf.sub(silu, tf.mul(silu, s)))),
        up: () => tf.mul(dy!, silu),
      };
    },
  },
});

/**
 * Gated activation silu(gate) * up (Shazeer 2020, "GLU variants improve transformer").
 *
 * @param gate float32 [..., F]
 * @param up float32 [..., F]
 * @returns float32 [..., F]
 * @throws if the shapes differ.
 */
export function swiglu<T extends tf.Tensor>(gate: T, up: T): T {
  if (String(gate.shape) !== String(up.shape)) {
    throw new Error(`swiglu: expected up [${gate.shape}] like gate, got [${up.shape}]`);
  }
  return runKernel(kernel, { gate, up })[0] as T;
}
