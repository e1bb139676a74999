import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';
import { logSoftmax } from './log-softmax.js';

/** Losses [R] of rows of logits and their slopes in them [R, V]. */
export function crossEntropyAndSlope(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor[] {
  const hot = tf.cast(tf.oneHot(targets as tf.Tensor1D, logits.shape[1]!), 'float32');
  const { logP, p } = logSoftmax(logits);
  return [tf.neg(tf.sum(tf.mul(logP, hot), -1)), tf.sub(p, hot)];
}

const kernel = defineKernel({
  name: 'LatentCrossEntropy',
  inputs: ['logits', 'targets'],
  outputs: 2,
  saved: { inputs: [], outputs: [1] },
  composition: {
    forward: ({ logits, targets }) => crossEntropyAndSlope(logits!, targets!),
    backward: ({ outputGradients: [dy], outputs: [, slope] }) => ({
      logits: () => tf.mul(slope!, tf.expandDims(dy!, 1)),
    }),
  },
});

/**
 * Negative log-likelihood of each row's target in nats, -log softmax(logits)[target].
 *
 * @param logits float32 [R, V]
 * @param targets int32 [R], each within [0, V)
 * @returns float32 [R]
 * @throws if targets does not hold one id per row of logits.
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  if (targets.size !== logits.shape[0]) {
    throw new Error(
      `crossEntropy: expected ${logits.shape[0]} targets for logits [${logits.shape}], got ${targets.size}`,
    );
  }
  const [nll, slope] = runKernel(kernel, { logits, targets });
  slope!.dispose();
  return nll as tf.Tensor1D;
}
