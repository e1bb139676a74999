import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** tanh(SLOPE (x + CUBIC x^3)) */
function turn(x: tf.Tensor): tf.Tensor {
  return tf.tanh(tf.mul(tf.mul(x, SLOPE), tf.add(tf.mul(tf.square(x), CUBIC), 1)));
}

const kernel = defineKernel({
  name: 'LatentGelu',
  inputs: ['x'],
  outputs: 1,
  saved: { inputs: ['x'], outputs: [] },
  composition: {
    forward: ({ x }) => [tf.mul(tf.mul(x!, 0.5), tf.add(turn(x!), 1))],
    backward: ({ outputGradients: [dy], inputs: { x } }) => ({
      x: () => {
        const t = turn(x!);
        // d tanh(u) = (1 - tanh(u)^2) u', u' = SLOPE (1 + 3 CUBIC x^2)
        const inner = tf.mul(tf.add(tf.mul(tf.square(x!), 3 * CUBIC), 1), SLOPE);
        const change = tf.mul(tf.mul(x!, tf.sub(1, tf.square(t))), inner);
        return tf.mul(dy!, tf.mul(tf.add(tf.add(t, 1), change), 0.5));
      },
    }),
  },
});

/**
 * Gaussian error linear unit in the form with tanh, x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
 * (Hendrycks and Gimpel 2016, section 2): GPT-2's activation.
 *
 * @param x float32 [..., F]
 * @returns float32 [..., F]
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return runKernel(kernel, { x })[0] as T;
}
