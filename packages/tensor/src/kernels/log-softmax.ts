import * as tf from '@tensorflow/tfjs';

/** Log-probabilities and probabilities of each row of logits [R, V], from one exponential. */
export function logSoftmax(logits: tf.Tensor): { logP: tf.Tensor; p: tf.Tensor } {
  const shifted = tf.sub(logits, tf.max(logits, -1, true));
  const exponents = tf.exp(shifted);
  const total = tf.sum(exponents, -1, true);
  return { logP: tf.sub(shifted, tf.log(total)), p: tf.div(exponents, total) };
}
