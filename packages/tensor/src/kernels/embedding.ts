import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

/** Sums the rows of `dy` by token id; by a one-hot product where the backend has no segment sum. */
function sumByToken(dy: tf.Tensor, ids: tf.Tensor, vocabulary: number): tf.Tensor {
  if (tf.getKernel('UnsortedSegmentSum', tf.getBackend())) {
    return tf.unsortedSegmentSum(dy as tf.Tensor2D, ids as tf.Tensor1D, vocabulary);
  }
  return tf.matMul(
    tf.cast(tf.oneHot(ids as tf.Tensor1D, vocabulary), 'float32') as tf.Tensor2D,
    dy as tf.Tensor2D,
    true,
    false,
  );
}

const kernel = defineKernel({
  name: 'LatentEmbedding',
  inputs: ['table', 'ids'],
  outputs: 1,
  composition: {
    forward: ({ table, ids }) => [tf.gather(table!, ids as tf.Tensor1D)],
    backward: ({ outputGradients: [dy], inputs: { table, ids } }) => ({
      table: () => sumByToken(dy!, ids!, table!.shape[0]!),
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
