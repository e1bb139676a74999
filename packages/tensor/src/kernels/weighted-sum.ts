import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentWeightedSum',
  inputs: ['values', 'weights'],
  outputs: 1,
  saved: { inputs: ['values', 'weights'], outputs: [] },
  composition: {
    forward: ({ values, weights }) => [tf.sum(tf.mul(values!, weights!))],
    backward: ({ outputGradients: [dy], inputs: { values, weights } }) => ({
      values: () => tf.mul(weights!, dy!),
      weights: () => tf.mul(values!, dy!),
    }),
  },
});

/**
 * The sum of numbers times their weights, sum_i w_i v_i, with a gradient of one operation.
 *
 * @param values v, float32 [N]
 * @param weights w, float32 [N]
 * @returns a float32 scalar
 * @throws if there are not as many weights as values.
 */
export function weightedSum(values: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar {
  if (values.size !== weights.size) {
    throw new Error(`weightedSum: expected ${values.size} weights, got ${weights.size}`);
  }
  return runKernel(kernel, { values, weights })[0] as tf.Scalar;
}
