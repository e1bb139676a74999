import * as tf from '@tensorflow/tfjs';

/**
 * The probability that the chosen tokens hold together before a top-k mixture renormalises it:
 * sum_{j in I} softmax(h W^T / tau)_j over the whole vocabulary, but for excluded tokens. Has no gradient.
 *
 * @param states float32 [L, D]
 * @param readout W, float32 [V, D]
 * @param ids I, int32 [L, k]
 * @returns float32 [L], within (0, 1]
 * @throws if ids has not one row per state.
 */
export function capturedMass(
  states: tf.Tensor2D,
  readout: tf.Tensor2D,
  ids: tf.Tensor2D,
  settings: { readonly temperature: number; readonly excluded?: readonly number[] },
): tf.Tensor1D {
  if (ids.shape[0] !== states.shape[0]) {
    throw new Error(`capturedMass: expected ids [${states.shape[0]}, k], got [${ids.shape}]`);
  }
  return tf.tidy(() => {
    const logits = tf.div<tf.Tensor2D>(tf.matMul(states, readout, false, true), settings.temperature);
    const [rows, vocabulary] = logits.shape;
    const kept = new Float32Array(vocabulary);
    for (const token of settings.excluded ?? []) kept[token] = -1e9;
    const flat = tf.reshape(tf.softmax(tf.add(logits, tf.tensor1d(kept))), [rows * vocabulary]);
    const starts = tf.expandDims(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(vocabulary, 'int32')), 1);
    return tf.sum<tf.Tensor1D>(tf.gather(flat, tf.add<tf.Tensor2D>(ids, starts)), 1);
  });
}
