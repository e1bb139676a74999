import * as tf from '@tensorflow/tfjs';
import { gelu } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

const inner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

function geluCase(title: string, shape: readonly number[], scale: number): KernelCase {
  return {
    title: `gelu, ${title}`,
    inputs: { x: normalSample(`gelu/${title}`, shape, scale) },
    outputShape: shape,
    open: () => ({
      kernel: ({ x }) => gelu(x!),
      // 1 + tanh(u) = 2 sigmoid(2 u)
      composition: ({ x }) => {
        const u = tf.mul(tf.add(x!, tf.mul(tf.mul(tf.square(x!), x!), 0.044715)), Math.sqrt(2 / Math.PI));
        return tf.mul(x!, tf.sigmoid(tf.mul(u, 2)));
      },
      constants: [],
    }),
    reference: ({ x }) => x!.map((value) => (value / 2) * (1 + Math.tanh(inner(value)))),
  };
}

export const geluCases = [
  geluCase('[2, 3, 5]', [2, 3, 5], 1),
  geluCase('one row', [1, 9], 1),
  geluCase('large numbers', [4, 8], 10),
];
