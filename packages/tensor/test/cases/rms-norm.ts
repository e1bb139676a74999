import * as tf from '@tensorflow/tfjs';
import { rmsNorm } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function rmsNormCase(title: string, shape: readonly number[], epsilon: number, scale = 1): KernelCase {
  const width = shape[shape.length - 1]!;
  return {
    title: `rmsNorm, ${title}`,
    inputs: { x: normalSample(`rms-norm/${title}`, shape, scale), weight: normalSample('rms-norm', [width]) },
    outputShape: shape,
    open: () => ({
      kernel: ({ x, weight }) => rmsNorm(x!, weight as tf.Tensor1D, epsilon),
      composition: ({ x, weight }) => {
        const size = tf.sqrt(tf.add(tf.mean(tf.square(x!), -1, true), epsilon));
        return tf.mul(tf.div(x!, size), weight!);
      },
      constants: [],
    }),
    reference: ({ x, weight }) =>
      x!.map((value, i) => {
        const row = x!.subarray(i - (i % width), i - (i % width) + width);
        const meanSquare = row.reduce((sum, y) => sum + y * y, 0) / width;
        return (value / Math.sqrt(meanSquare + epsilon)) * weight![i % width]!;
      }),
  };
}

export const rmsNormCases = [
  rmsNormCase('[2, 3, 7]', [2, 3, 7], 1e-5),
  rmsNormCase('one row', [1, 5], 1e-6),
  rmsNormCase('one number a row', [4, 1], 1e-2),
  rmsNormCase('epsilon as large as the rows', [3, 6], 1e-2, 0.1),
];
