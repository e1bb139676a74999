import * as tf from '@tensorflow/tfjs';
import { layerNorm } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function layerNormCase(title: string, shape: readonly number[], epsilon: number, scale = 1): KernelCase {
  const width = shape[shape.length - 1]!;
  return {
    title: `layerNorm, ${title}`,
    inputs: {
      x: normalSample(`layer-norm/${title}`, shape, scale),
      weight: normalSample('layer-norm/weight', [width]),
      bias: normalSample('layer-norm/bias', [width]),
    },
    outputShape: shape,
    open: () => ({
      kernel: ({ x, weight, bias }) => layerNorm(x!, weight as tf.Tensor1D, bias as tf.Tensor1D, epsilon),
      composition: ({ x, weight, bias }) => {
        const { mean, variance } = tf.moments(x!, -1, true);
        const normal = tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, epsilon)));
        return tf.add(tf.mul(normal, weight!), bias!);
      },
      constants: [],
    }),
    reference: ({ x, weight, bias }) =>
      x!.map((value, i) => {
        const row = x!.subarray(i - (i % width), i - (i % width) + width);
        const mean = row.reduce((sum, y) => sum + y, 0) / width;
        const variance = row.reduce((sum, y) => sum + (y - mean) ** 2, 0) / width;
        return ((value - mean) / Math.sqrt(variance + epsilon)) * weight![i % width]! + bias![i % width]!;
      }),
  };
}

export const layerNormCases = [
  layerNormCase('[2, 3, 7]', [2, 3, 7], 1e-5),
  layerNormCase('one row', [1, 5], 1e-6),
  layerNormCase('epsilon as large as the rows', [3, 6], 1e-2, 0.1),
];
