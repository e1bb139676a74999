import * as tf from '@tensorflow/tfjs';
import { defineKernel, type KernelImplementation, runKernel } from '../kernel.js';
import { logSoftmax } from './log-softmax.js';

const SMALLEST = 1e-12;
const logarithm = (x: tf.Tensor) => tf.log(tf.maximum(x, SMALLEST));

/** Teacher probabilities [R, k] at ids [R, k] as a dense [R, V]. */
function scatterLabels(ids: tf.Tensor, probabilities: tf.Tensor, vocabulary: number): tf.Tensor {
  const [rows, k] = ids.shape as [number, number];
  const offsets = tf.reshape(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(vocabulary, 'int32')), [
    rows,
    1,
  ]);
  const flat = tf.reshape(tf.add(ids, offsets), [rows * k, 1]);
  const dense = tf.scatterND(flat as tf.Tensor2D, tf.reshape(probabilities, [rows * k]), [rows * vocabulary]);
  return tf.reshape(dense, [rows, vocabulary]);
}

/** d KL / d logits was made in the forward pass, so that logits and teacher may be freed. */
const slopeTimes: KernelImplementation['backward'] = ({ outputGradients: [dy], outputs: [, slope] }) => ({
  logits: () => tf.mul(slope!, tf.expandDims(dy!, 1)),
});

const fullKernel = defineKernel({
  name: 'LatentFullKl',
  inputs: ['logits', 'probabilities'],
  outputs: 2,
  saved: { inputs: [], outputs: [1] },
  composition: {
    forward: ({ logits, probabilities }) => {
      const q = probabilities!;
      const { logP, p } = logSoftmax(logits!);
      const kl = tf.sum(tf.mul(q, tf.sub(logarithm(q), logP)), -1);
      return [kl, tf.sub(tf.mul(p, tf.sum(q, -1, true)), q)];
    },
    backward: slopeTimes,
  },
});

/** Divergences [R] of rows of logits and their slopes in them [R, V]. */
export function sparseKlAndSlope(
  logits: tf.Tensor,
  ids: tf.Tensor,
  q: tf.Tensor,
  tail: boolean,
): tf.Tensor[] {
  const dense = scatterLabels(ids, q, logits.shape[1]!);
  const { logP, p } = logSoftmax(logits);
  const mass = tf.sum(q, -1, true); // [R, 1]
  const kl = tf.sub(tf.sum(tf.mul(q, logarithm(q)), -1), tf.sum(tf.mul(dense, logP), -1));
  if (!tail) return [kl, tf.sub(tf.mul(p, mass), dense)];
  const outside = tf.mul(p, tf.cast(tf.equal(dense, 0), 'float32')); // p where the teacher has no label
  const teacherTail = tf.relu(tf.sub(1, mass));
  const studentTail = tf.sum(outside, -1, true);
  const gap = tf.mul(teacherTail, tf.sub(logarithm(teacherTail), logarithm(studentTail)));
  // the bucket as one more label: it moves its mass onto the tokens outside, by their shares of the tail
  const labels = tf.add(dense, tf.mul(outside, tf.div(teacherTail, tf.maximum(studentTail, SMALLEST))));
  return [tf.add(kl, tf.squeeze(gap, [1])), tf.sub(tf.mul(p, tf.add(mass, teacherTail)), labels)];
}

const sparseKernel = defineKernel({
  name: 'LatentSparseKl',
  inputs: ['logits', 'ids', 'probabilities'],
  outputs: 2,
  saved: { inputs: [], outputs: [1] },
  composition: {
    forward: ({ logits, ids, probabilities }, { tail }) =>
      sparseKlAndSlope(logits!, ids!, probabilities!, tail as boolean),
    backward: slopeTimes,
  },
});

/**
 * Forward KL of a full-vocabulary teacher to the student, sum_j q_j (log q_j - log p_j), in nats
 * (arXiv 2510.15522, stage 2).
 *
 * @param logits student logits, float32 [R, V]
 * @param probabilities teacher, float32 [R, V]
 * @returns float32 [R]
 * @throws if the shapes differ.
 */
export function fullKl(logits: tf.Tensor2D, probabilities: tf.Tensor2D): tf.Tensor1D {
  if (String(logits.shape) !== String(probabilities.shape)) {
    throw new Error(
      `fullKl: expected probabilities [${logits.shape}] like logits, got [${probabilities.shape}]`,
    );
  }
  const [kl, slope] = runKernel(fullKernel, { logits, probabilities });
  slope!.dispose();
  return kl as tf.Tensor1D;
}

/**
 * Forward KL of a top-k teacher to the student's full softmax, sum_{j in I} q_j (log q_j - log p_j), in nats.
 * With `tail` the mass outside I is one more bucket on both sides, so that the student is not asked to put
 * everything on I; the probabilities must then be the teacher's own, not renormalised.
 *
 * @param logits student logits, float32 [R, V]
 * @param ids the teacher's tokens I, int32 [R, k], distinct in a row
 * @param probabilities float32 [R, k], above 0
 * @returns float32 [R]
 * @throws if ids and probabilities are not both [R, k].
 */
export function sparseKl(
  logits: tf.Tensor2D,
  ids: tf.Tensor2D,
  probabilities: tf.Tensor2D,
  options: { readonly tail?: boolean } = {},
): tf.Tensor1D {
  if (ids.shape[0] !== logits.shape[0] || String(ids.shape) !== String(probabilities.shape)) {
    throw new Error(
      `sparseKl: expected ids and probabilities [${logits.shape[0]}, k], got [${ids.shape}] and [${probabilities.shape}]`,
    );
  }
  const [kl, slope] = runKernel(
    sparseKernel,
    { logits, ids, probabilities },
    { tail: options.tail ?? false },
  );
  slope!.dispose();
  return kl as tf.Tensor1D;
}
