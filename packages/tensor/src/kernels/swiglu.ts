import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentSwiglu',
  inputs: ['gate', 'up'],
  outputs: 1,
  composition: {
    forward: ({ gate, up }) => [tf.mul(tf.mul(gate!, tf.sigmoid(gate!)), up!)],
    backward: ({ outputGradients: [dy], inputs: { gate, up } }) => ({
      // d silu = s (1 + g (1 - s)), with s = sigmoid(g)
      gate: () => {
        const s = tf.sigmoid(gate!);
        const slope = tf.mul(s, tf.add(tf.mul(gate!, tf.sub(1, s)), 1));
        return tf.mul(tf.mul(dy!, up!), slope);
      },
      up: () => tf.mul(dy!, tf.mul(gate!, tf.sigmoid(gate!))),
    }),
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
