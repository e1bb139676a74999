import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

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

const fullKernel = defineKernel({
  name: 'LatentFullKl',
  inputs: ['logits', 'probabilities'],
  outputs: 1,
  composition: {
    forward: ({ logits, probabilities }) => {
      const gap = tf.sub(logarithm(probabilities!), tf.logSoftmax(logits!));
      return [tf.sum(tf.mul(probabilities!, gap), -1)];
    },
    backward: ({ outputGradients: [dy], inputs: { logits, probabilities } }) => ({
      logits: () => {
        const mass = tf.sum(probabilities!, -1, true);
        return tf.mul(tf.sub(tf.mul(tf.softmax(logits!), mass), probabilities!), tf.expandDims(dy!, 1));
      },
    }),
  },
});

const sparseKernel = defineKernel({
  name: 'LatentSparseKl',
  inputs: ['logits', 'ids', 'probabilities'],
  outputs: 1,
  composition: {
    forward: ({ logits, ids, probabilities }, { tail }) => {
      const q = probabilities!;
      const dense = scatterLabels(ids!, q, logits!.shape[1]!);
      const logP = tf.logSoftmax(logits!);
      const kl = tf.sub(tf.sum(tf.mul(q, logarithm(q)), -1), tf.sum(tf.mul(dense, logP), -1));
      if (!tail) return [kl];
      const { teacherTail, studentTail } = tails(tf.softmax(logits!), dense, q);
      const gap = tf.sub(logarithm(teacherTail), logarithm(studentTail));
      return [tf.add(kl, tf.mul(teacherTail, gap))];
    },
    backward: ({ outputGradients: [dy], inputs: { logits, ids, probabilities }, attributes: { tail } }) => ({
      logits: () => {
        const q = probabilities!;
        const dense = scatterLabels(ids!, q, logits!.shape[1]!);
        const p = tf.softmax(logits!);
        let slope = tf.sub(tf.mul(p, tf.sum(q, -1, true)), dense);
        if (tail) {
          const { teacherTail, studentTail } = tails(p, dense, q);
          const mass = tf.expandDims(teacherTail, 1);
          const outside = tf.mul(p, tf.cast(tf.equal(dense, 0), 'float32'));
          const share = tf.div(outside, tf.maximum(tf.expandDims(studentTail, 1), SMALLEST));
          slope = tf.add(slope, tf.mul(mass, tf.sub(p, share)));
        }
        return tf.mul(slope, tf.expandDims(dy!, 1));
      },
    }),
  },
});

/** The probability that teacher and student leave to the tokens outside the labels, each [R]. */
function tails(
  p: tf.Tensor,
  dense: tf.Tensor,
  q: tf.Tensor,
): { teacherTail: tf.Tensor; studentTail: tf.Tensor } {
  const outside = tf.cast(tf.equal(dense, 0), 'float32');
  return {
    teacherTail: tf.relu(tf.sub(1, tf.sum(q, -1))),
    studentTail: tf.sum(tf.mul(p, outside), -1),
  };
}

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
  return runKernel(fullKernel, { logits, probabilities })[0] as tf.Tensor1D;
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
  return runKernel(
    sparseKernel,
    { logits, ids, probabilities },
    { tail: options.tail ?? false },
  )[0] as tf.Tensor1D;
}
