import * as tf from '@tensorflow/tfjs';

/**
 * Sums rows by token id: the gradient of a table that was read at those ids.
 *
 * @param rows float32 [R, D]
 * @param ids int32 [R], each within [0, V)
 * @param vocabulary V
 * @returns float32 [V, D]
 */
export function sumByToken(rows: tf.Tensor2D, ids: tf.Tensor1D, vocabulary: number): tf.Tensor {
  if (tf.getKernel('UnsortedSegmentSum', tf.getBackend())) {
    return tf.unsortedSegmentSum(rows, ids, vocabulary);
  }
  // wasm has no segment sum
  const hot = tf.cast(tf.oneHot(ids, vocabulary), 'float32') as tf.Tensor2D; // [R, V]
  return tf.matMul(hot, rows, true, false);
}
