import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { fullKl, sparseKl } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';
import { logProbabilities } from './cross-entropy.js';

/** A softmax over random logits for each row, rounded to float32. */
function teacher(label: string, rows: number, vocabulary: number): Float64Array {
  const logits = normalSample(`teacher/${label}`, [rows, vocabulary], 2).data;
  return logits.map((_, i) => {
    const row = Math.floor(i / vocabulary);
    return Math.fround(Math.exp(logProbabilities(rowOf(logits, row, vocabulary))[i % vocabulary]!));
  });
}

const rowOf = (values: Float64Array, row: number, width: number) =>
  values.subarray(row * width, (row + 1) * width);

function fullCase(title: string, rows: number, vocabulary: number, share = 1): KernelCase {
  const q = teacher(title, rows, vocabulary).map((x) => Math.fround(x * share));
  return {
    title: `fullKl, ${title}`,
    inputs: { logits: normalSample(`full-kl/${title}`, [rows, vocabulary], 2) },
    outputShape: [rows],
    open: () => {
      const probabilities = tf.tensor2d(Float32Array.from(q), [rows, vocabulary]);
      return {
        kernel: ({ logits }) => fullKl(logits as tf.Tensor2D, probabilities),
        composition: ({ logits }) =>
          tf.sum(tf.mul(probabilities, tf.sub(tf.log(probabilities), tf.logSoftmax(logits!))), 1),
        constants: [probabilities],
      };
    },
    reference: ({ logits }) =>
      Float64Array.from({ length: rows }, (_, row) => {
        const logP = logProbabilities(rowOf(logits!, row, vocabulary));
        return rowOf(q, row, vocabulary).reduce((sum, p, j) => sum + p * (Math.log(p) - logP[j]!), 0);
      }),
  };
}

function sparseCase(
  title: string,
  [rows, k, vocabulary]: readonly [number, number, number],
  tail: boolean,
): KernelCase {
  const dense = teacher(`sparse/${title}`, rows, vocabulary);
  const ids = Int32Array.from(
    Array.from({ length: rows }, (_, row) => [
      ...randomStream(7, `sparse-kl/${title}`, row).permutation(vocabulary).subarray(0, k),
    ]).flat(),
  );
  const q = Float64Array.from(ids, (id, i) => dense[Math.floor(i / k) * vocabulary + id]!);
  return {
    title: `sparseKl ${tail ? 'with' : 'without'} tail, ${title}`,
    inputs: { logits: normalSample(`sparse-kl/${title}`, [rows, vocabulary], 2) },
    outputShape: [rows],
    open: () => {
      const idTensor = tf.tensor2d(ids, [rows, k], 'int32');
      const probabilities = tf.tensor2d(Float32Array.from(q), [rows, k]);
      return {
        kernel: ({ logits }) => sparseKl(logits as tf.Tensor2D, idTensor, probabilities, { tail }),
        composition: ({ logits }) => {
          const hot = tf.cast(tf.oneHot(tf.tensor1d(ids, 'int32'), vocabulary), 'float32');
          const supports = tf.reshape(hot, [rows, k, vocabulary]);
          const labels = tf.sum(tf.mul(supports, tf.expandDims(probabilities, 2)), 1);
          const logP = tf.logSoftmax(logits!);
          const entropy = tf.sum(tf.mul(probabilities, tf.log(probabilities)), 1);
          const kl = tf.sub(entropy, tf.sum(tf.mul(labels, logP), 1));
          if (!tail) return kl;
          const outside = tf.sum(tf.mul(tf.exp(logP), tf.sub(1, tf.sum(supports, 1))), 1);
          const rest = tf.sub(1, tf.sum(probabilities, 1));
          return tf.add(kl, tf.mul(rest, tf.sub(tf.log(rest), tf.log(outside))));
        },
        constants: [idTensor, probabilities],
      };
    },
    reference: ({ logits }) =>
      Float64Array.from({ length: rows }, (_, row) => {
        const logP = logProbabilities(rowOf(logits!, row, vocabulary));
        let sum = 0;
        let teacherTail = 1;
        let studentTail = 1;
        for (let i = row * k; i < (row + 1) * k; i++) {
          sum += q[i]! * (Math.log(q[i]!) - logP[ids[i]!]!);
          teacherTail -= q[i]!;
          studentTail -= Math.exp(logP[ids[i]!]!);
        }
        return tail ? sum + teacherTail * Math.log(teacherTail / studentTail) : sum;
      }),
  };
}

export const softLabelCases = [
  fullCase('[5, 11]', 5, 11),
  fullCase('one row', 1, 4),
  fullCase('probabilities that do not sum to 1', 3, 6, 0.5),
  ...[false, true].flatMap((tail) => [
    sparseCase('[5, 3] of 11', [5, 3, 11], tail),
    sparseCase('one row, one token', [1, 1, 4], tail),
    sparseCase('all tokens but one', [3, 6, 7], tail),
  ]),
];
