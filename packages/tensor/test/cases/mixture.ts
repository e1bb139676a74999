import * as tf from '@tensorflow/tfjs';
import { mixture } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { integerSample, normalSample } from '../sample.js';

function mixtureCase(
  title: string,
  [rows, k, vocabulary, width]: readonly [number, number, number, number],
): KernelCase {
  const ids = integerSample(`mixture/ids/${title}`, rows * k, vocabulary);
  return {
    title: `mixture, ${title}`,
    inputs: {
      alpha: normalSample(`mixture/alpha/${title}`, [rows, k]),
      table: normalSample(`mixture/table/${title}`, [vocabulary, width]),
    },
    outputShape: [rows, width],
    open: () => {
      const tensor = tf.tensor2d(ids, [rows, k], 'int32');
      return {
        kernel: ({ alpha, table }) => mixture(alpha as tf.Tensor2D, tensor, table as tf.Tensor2D),
        composition: ({ alpha, table }) => {
          const hot = tf.cast(tf.oneHot(tf.tensor1d(ids, 'int32'), vocabulary), 'float32') as tf.Tensor2D;
          const chosen = tf.reshape(tf.matMul(hot, table as tf.Tensor2D), [rows, k, width]);
          return tf.sum(tf.mul(chosen, tf.expandDims(alpha!, 2)), 1);
        },
        constants: [tensor],
      };
    },
    reference: ({ alpha, table }) =>
      Float64Array.from({ length: rows * width }, (_, i) => {
        const row = Math.floor(i / width);
        let sum = 0;
        for (let j = row * k; j < (row + 1) * k; j++) {
          sum += alpha![j]! * table![ids[j]! * width + (i % width)]!;
        }
        return sum;
      }),
  };
}

export const mixtureCases = [
  mixtureCase('repeated ids in and across rows', [5, 4, 3, 6]),
  mixtureCase('one row', [1, 3, 9, 5]),
  mixtureCase('one token a row', [3, 1, 4, 2]),
];
