import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { crossEntropy, headCrossEntropy, headSparseKl, sparseKl } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { integerSample, normalSample } from '../sample.js';
import { logProbabilities } from './cross-entropy.js';

/** log softmax(scale h W^T) of each row, in float64. */
function rowsOfHead(
  { hidden, table }: Readonly<Record<string, Float64Array>>,
  [rows, vocabulary, width]: readonly [number, number, number],
  scale = 1,
): Float64Array[] {
  return Array.from({ length: rows }, (_, row) =>
    logProbabilities(
      Float64Array.from({ length: vocabulary }, (_, token) => {
        let dot = 0;
        for (let i = 0; i < width; i++) dot += hidden![row * width + i]! * table![token * width + i]!;
        return scale * dot;
      }),
    ),
  );
}

const headInputs = (title: string, [rows, vocabulary, width]: readonly [number, number, number], by = 1) => ({
  hidden: normalSample(`head/hidden/${title}`, [rows, width], by),
  table: normalSample(`head/table/${title}`, [vocabulary, width]),
});

function crossEntropyCase(title: string, shape: readonly [number, number, number], by?: number): KernelCase {
  const [rows, vocabulary] = shape;
  const targets = integerSample(`head/targets/${title}`, rows, vocabulary);
  return {
    title: `headCrossEntropy, ${title}`,
    inputs: headInputs(title, shape, by),
    outputShape: [rows],
    open: () => {
      const tensor = tf.tensor1d(targets, 'int32');
      return {
        kernel: ({ hidden, table }) => headCrossEntropy(hidden as tf.Tensor2D, table as tf.Tensor2D, tensor),
        composition: ({ hidden, table }) =>
          crossEntropy(tf.matMul(hidden!, table!, false, true) as tf.Tensor2D, tensor),
        constants: [tensor],
      };
    },
    reference: (inputs) => {
      const logP = rowsOfHead(inputs, shape);
      return Float64Array.from(targets, (target, row) => -logP[row]![target]!);
    },
  };
}

function sparseCase(
  title: string,
  shape: readonly [number, number, number],
  k: number,
  tail: boolean,
  temperature = 1,
): KernelCase {
  const [rows, vocabulary] = shape;
  const ids = Int32Array.from(
    Array.from({ length: rows }, (_, row) => [
      ...randomStream(7, `head-kl/${title}`, row).permutation(vocabulary).subarray(0, k),
    ]).flat(),
  );
  const q = randomStream(7, `head-kl/q/${title}`).uniform(rows * k);
  const shares = Float64Array.from(q, (x) => Math.fround((0.1 + x) / (1.5 * k)));
  return {
    title: `headSparseKl ${tail ? 'with' : 'without'} tail, ${title}`,
    inputs: headInputs(title, shape),
    outputShape: [rows],
    open: () => {
      const idTensor = tf.tensor2d(ids, [rows, k], 'int32');
      const probabilities = tf.tensor2d(Float32Array.from(shares), [rows, k]);
      return {
        kernel: ({ hidden, table }) =>
          headSparseKl(hidden as tf.Tensor2D, table as tf.Tensor2D, idTensor, probabilities, {
            tail,
            temperature,
          }),
        composition: ({ hidden, table }) => {
          const logits = tf.matMul(hidden!, table!, false, true);
          return sparseKl(tf.div<tf.Tensor2D>(logits, temperature), idTensor, probabilities, { tail });
        },
        constants: [idTensor, probabilities],
      };
    },
    reference: (inputs) =>
      Float64Array.from(rowsOfHead(inputs, shape, 1 / temperature), (logP, row) => {
        let [sum, teacherTail, studentTail] = [0, 1, 1];
        for (let i = row * k; i < (row + 1) * k; i++) {
          sum += shares[i]! * (Math.log(shares[i]!) - logP[ids[i]!]!);
          teacherTail -= shares[i]!;
          studentTail -= Math.exp(logP[ids[i]!]!);
        }
        return tail ? sum + teacherTail * Math.log(teacherTail / studentTail) : sum;
      }),
  };
}

export const headLossCases = [
  crossEntropyCase('[5, 3] x [11, 3]', [5, 11, 3]),
  crossEntropyCase('one row', [1, 4, 2]),
  crossEntropyCase('more rows than a part', [131, 5, 2]),
  crossEntropyCase('a vocabulary of two stretches and a bit', [2, 1031, 1]),
  crossEntropyCase('large logits', [4, 7, 5], 8),
  ...[false, true].flatMap((tail) => [
    sparseCase('[5, 3] of [11, 3]', [5, 11, 3], 3, tail),
    sparseCase('one row, one token', [1, 4, 2], 1, tail),
    sparseCase('warm', [3, 17, 4], 5, tail, 1.7),
  ]),
];
