import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { integerSample, normalSample } from '../sample.js';

/** log softmax(logits) of one row, in float64. */
export function logProbabilities(logits: Float64Array): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, x) => total + Math.exp(x - top), 0);
  return logits.map((x) => x - top - Math.log(sum));
}

function crossEntropyCase(title: string, rows: number, vocabulary: number, scale: number): KernelCase {
  const targets = integerSample(`cross-entropy/targets/${title}`, rows, vocabulary);
  return {
    title: `crossEntropy, ${title}`,
    inputs: { logits: normalSample(`cross-entropy/${title}`, [rows, vocabulary], scale) },
    outputShape: [rows],
    open: () => {
      const tensor = tf.tensor1d(targets, 'int32');
      return {
        kernel: ({ logits }) => crossEntropy(logits as tf.Tensor2D, tensor),
        composition: ({ logits }) =>
          tf.neg(
            tf.sum(tf.mul(tf.logSoftmax(logits!), tf.cast(tf.oneHot(tensor, vocabulary), 'float32')), 1),
          ),
        constants: [tensor],
      };
    },
    reference: ({ logits }) =>
      Float64Array.from(targets, (target, row) => {
        return -logProbabilities(logits!.subarray(row * vocabulary, (row + 1) * vocabulary))[target]!;
      }),
  };
}

export const crossEntropyCases = [
  crossEntropyCase('[5, 11]', 5, 11, 1),
  crossEntropyCase('one row', 1, 3, 1),
  crossEntropyCase('large logits', 4, 7, 30),
];
