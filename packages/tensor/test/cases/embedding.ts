import * as tf from '@tensorflow/tfjs';
import { embedding } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function embeddingCase(title: string, ids: readonly number[], vocabulary: number, width: number): KernelCase {
  return {
    title: `embedding, ${title}`,
    inputs: { table: normalSample(`embedding/${title}`, [vocabulary, width]) },
    outputShape: [ids.length, width],
    open: () => {
      const tensor = tf.tensor1d([...ids], 'int32');
      return {
        kernel: ({ table }) => embedding(table as tf.Tensor2D, tensor),
        composition: ({ table }) =>
          tf.matMul(tf.cast(tf.oneHot(tensor, vocabulary), 'float32') as tf.Tensor2D, table as tf.Tensor2D),
        constants: [tensor],
      };
    },
    reference: ({ table }) =>
      Float64Array.from(
        { length: ids.length * width },
        (_, i) => table![ids[Math.floor(i / width)]! * width + (i % width)]!,
      ),
  };
}

export const embeddingCases = [
  embeddingCase('repeated ids', [2, 0, 2, 2, 6, 0], 7, 3),
  embeddingCase('one id', [4], 5, 4),
  embeddingCase('one id for all rows', [1, 1, 1, 1, 1], 3, 1),
];
