import * as tf from '@tensorflow/tfjs';
import { weightedSum } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function weightedSumCase(title: string, count: number): KernelCase {
  return {
    title: `weightedSum, ${title}`,
    inputs: {
      values: normalSample(`weighted-sum/values/${title}`, [count]),
      weights: normalSample(`weighted-sum/weights/${title}`, [count]),
    },
    outputShape: [],
    open: () => ({
      kernel: ({ values, weights }) => weightedSum(values as tf.Tensor1D, weights as tf.Tensor1D),
      composition: ({ values, weights }) => tf.sum(tf.mul(values!, weights!)),
      constants: [],
    }),
    reference: ({ values, weights }) =>
      Float64Array.of(values!.reduce((sum, value, i) => sum + value * weights![i]!, 0)),
  };
}

export const weightedSumCases = [weightedSumCase('7 numbers', 7), weightedSumCase('one number', 1)];
