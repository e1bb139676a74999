import { crossEntropy, headCrossEntropy, weightedSum } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { keepsLogits } from './keeps-logits.js';

/**
 * The supervised loss sum_t w_t * -log p(x_t), in nats; the weights come from a reading of L_sup.
 *
 * @param logits float32 [R, V], one row per target
 * @param targets int32 [R]
 * @param weights float32 [R], summing to 1
 * @throws if targets or weights do not match the rows of logits.
 */
export function weightedNll(logits: tf.Tensor2D, targets: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar {
  checkWeights('weightedNll', logits, weights);
  return weightedSum(crossEntropy(logits, targets), weights);
}

/**
 * `weightedNll` of the logits h W^T, which a large vocabulary does not keep.
 *
 * @param hidden h, float32 [R, D], one row per target
 * @param table W, float32 [V, D]
 * @param targets int32 [R]
 * @param weights float32 [R], summing to 1
 * @throws if targets or weights do not match the rows of states.
 */
export function weightedHeadNll(
  hidden: tf.Tensor2D,
  table: tf.Tensor2D,
  targets: tf.Tensor1D,
  weights: tf.Tensor1D,
): tf.Scalar {
  checkWeights('weightedHeadNll', hidden, weights);
  if (keepsLogits(table)) return weightedNll(tf.matMul(hidden, table, false, true), targets, weights);
  return weightedSum(headCrossEntropy(hidden, table, targets), weights);
}

function checkWeights(caller: string, rows: tf.Tensor2D, weights: tf.Tensor1D): void {
  if (weights.size !== rows.shape[0]) {
    throw new Error(`${caller}: expected ${rows.shape[0]} weights, got ${weights.size}`);
  }
}
