import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const oneHot = (ids: tf.Tensor, vocabulary: number) =>
  tf.cast(tf.oneHot(ids as tf.Tensor1D, vocabulary), 'float32');

const kernel = defineKernel({
  name: 'LatentCrossEntropy',
  inputs: ['logits', 'targets'],
  outputs: 2,
  composition: {
    forward: ({ logits, targets }) => {
      const hot = oneHot(targets!, logits!.shape[1]!);
      const nll = tf.sub(tf.logSumExp(logits!, -1), tf.sum(tf.mul(logits!, hot), -1));
      return [nll, tf.sub(tf.softmax(logits!), hot)];
    },
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
