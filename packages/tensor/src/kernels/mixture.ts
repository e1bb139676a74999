import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';
import { sumByToken } from './sum-by-token.js';

/** The table's rows at ids, [R, k, D]. */
function rowsAt(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  return tf.gather(table, ids as tf.Tensor2D);
}

const kernel = defineKernel({
  name: 'LatentMixture',
  inputs: ['alpha', 'ids', 'table'],
  outputs: 1,
  saved: { inputs: ['alpha', 'ids', 'table'], outputs: [] },
  composition: {
    forward: ({ alpha, ids, table }) => [
      tf.squeeze(tf.matMul(tf.expandDims(alpha!, 1), rowsAt(table!, ids!)), [1]), // [R, 1, k] x [R, k, D]
    ],
    backward: ({ outputGradients: [dz], inputs: { alpha, ids, table } }) => ({
      alpha: () => tf.squeeze(tf.matMul(rowsAt(table!, ids!), tf.expandDims(dz!, 2)), [2]),
      table: () => {
        const [vocabulary, width] = table!.shape as [number, number];
        const shares = tf.mul(tf.expandDims(alpha!, 2), tf.expandDims(dz!, 1)); // [R, k, D]
        return sumByToken(tf.reshape(shares, [-1, width]), tf.reshape(ids!, [-1]), vocabulary);
      },
    }),
  },
});

/**
 * Mixtures of k embeddings each, z = sum_j alpha_j table[ids_j] (arXiv 2510.15522, the vocabulary-space
 * latent, with its support cut to k tokens).
 *
 * @param alpha float32 [R, k]
 * @param ids int32 [R, k]
 * @param table float32 [V, D]
 * @returns float32 [R, D]
 * @throws if alpha and ids differ in shape.
 */
export function mixture(alpha: tf.Tensor2D, ids: tf.Tensor2D, table: tf.Tensor2D): tf.Tensor2D {
  if (String(alpha.shape) !== String(ids.shape)) {
    throw new Error(`mixture: expected ids [${alpha.shape}] like alpha, got [${ids.shape}]`);
  }
  return runKernel(kernel, { alpha, ids, table })[0] as tf.Tensor2D;
}
