import * as tf from '@tensorflow/tfjs';
import { rowProducts } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { integerSample, normalSample } from '../sample.js';

function rowProductsCase(
  title: string,
  [rows, k, vocabulary, width]: readonly [number, number, number, number],
): KernelCase {
  const ids = integerSample(`row-products/ids/${title}`, rows * k, vocabulary);
  return {
    title: `row products, ${title}`,
    inputs: {
      x: normalSample(`row-products/x/${title}`, [rows, width]),
      table: normalSample(`row-products/table/${title}`, [vocabulary, width]),
    },
    outputShape: [rows, k],
    open: () => {
      const tensor = tf.tensor2d(ids, [rows, k], 'int32');
      return {
        kernel: ({ x, table }) => rowProducts(x as tf.Tensor2D, tensor, table as tf.Tensor2D),
        composition: ({ x, table }) => {
          const hot = tf.cast(tf.oneHot(tf.tensor1d(ids, 'int32'), vocabulary), 'float32') as tf.Tensor2D;
          const chosen = tf.reshape(tf.matMul(hot, table as tf.Tensor2D), [rows, k, width]);
          return tf.sum(tf.mul(chosen, tf.expandDims(x!, 1)), 2);
        },
        constants: [tensor],
      };
    },
    reference: ({ x, table }) =>
      Float64Array.from({ length: rows * k }, (_, i) => {
        const row = Math.floor(i / k);
        let sum = 0;
        for (let j = 0; j < width; j++) sum += x![row * width + j]! * table![ids[i]! * width + j]!;
        return sum;
      }),
  };
}

export const rowProductsCases = [
  rowProductsCase('repeated ids in and across rows', [5, 4, 3, 6]),
  rowProductsCase('one row', [1, 3, 9, 5]),
  rowProductsCase('one word a row, wider than a vector', [3, 1, 4, 21]),
];
