import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentRmsNorm',
  inputs: ['x', 'weight'],
  outputs: 2,
  saved: { inputs: ['x', 'weight'], outputs: [1] },
  composition: {
    forward: ({ x, weight }, { epsilon }) => {
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x!), -1, true), epsilon as number));
      return [tf.mul(tf.mul(x!, inverse), weight!), inverse];
    },
    backward: ({ outputGradients: [dy], inputs: { x, weight }, outputs: [, inverse] }) => {
      const normal = tf.mul(x!, inverse!);
      return {
        x: () => {
          const scaled = tf.mul(dy!, weight!);
          return tf.mul(inverse!, tf.sub(scaled, tf.mul(normal, tf.mean(tf.mul(scaled, normal), -1, true))));
        },
        weight: () => tf.sum(tf.reshape(tf.mul(dy!, normal), [-1, weight!.size]), 0),
      };
    },
  },
});

/**
 * Root-mean-square normalisation, y = x / sqrt(mean(x^2) + epsilon) * weight
 * (Zhang and Sennrich 2019, eq. 4).
 *
 * @param x float32 [..., D]
 * @param weight float32 [D]
 * @returns float32 [..., D]
 * @throws if the last axis of x is not as long as weight.
 */
export function rmsNorm<T extends tf.Tensor>(x: T, weight: tf.Tensor1D, epsilon: number): T {
  if (x.shape[x.rank - 1] !== weight.size) {
    throw new Error(`rmsNorm: expected x [..., ${weight.size}], got [${x.shape}]`);
  }
  const [y, inverse] = runKernel(kernel, { x, weight }, { epsilon });
  inverse!.dispose();
  return y as T;
}
