import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';
import { sumByToken } from './sum-by-token.js';

const kernel = defineKernel({
  name: 'LatentEmbedding',
  inputs: ['table', 'ids'],
  outputs: 1,
  saved: { inputs: ['table', 'ids'], outputs: [] },
  composition: {
    forward: ({ table, ids }) => [tf.gather(table!, ids as tf.Tensor1D)],
    backward: ({ outputGradients: [dy], inputs: { table, ids } }) => ({
      table: () => sumByToken(dy as tf.Tensor2D, ids as tf.Tensor1D, table!.shape[0]!),
    }),
  },
});

/**
 * The table's rows for token ids.
 *
 * @param table float32 [V, D]
 * @param ids int32 [R], each within [0, V)
 * @returns float32 [R, D]
 */
export function embedding(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  return runKernel(kernel, { table, ids })[0] as tf.Tensor2D;
}
