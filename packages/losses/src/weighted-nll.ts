import { crossEntropy } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

/**
 * The supervised loss sum_t w_t * -log p(x_t), in nats; the weights come from a reading of L_sup.
 *
 * @param logits float32 [R, V], one row per target
 * @param targets int32 [R]
 * @param weights float32 [R], summing to 1
 * @throws if targets or weights do not match the rows of logits.
 */
export function weightedNll(logits: tf.Tensor2D, targets: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar {
  if (weights.size !== logits.shape[0]) {
    throw new Error(`weightedNll: expected ${logits.shape[0]} weights, got ${weights.size}`);
  }
  return tf.sum(tf.mul(crossEntropy(logits, targets), weights));
}
