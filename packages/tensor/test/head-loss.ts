import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { crossEntropy, headCrossEntropy, headSparseKl, sparseKl, valueAndGradients } from '../src/index.js';
import { integerSample, normalSample } from './sample.js';
import './matchers.js';

const sample = (label: string, shape: [number, number], scale = 1) =>
  tf.tensor2d(Float32Array.from(normalSample(`head-loss/${label}`, shape, scale).data), shape);

type Loss = (hidden: tf.Tensor2D, table: tf.Tensor2D) => tf.Tensor;

/** Losses and both gradients of `actual` against those of `expected`. */
function compare(shape: readonly [number, number, number], actual: Loss, expected: Loss): void {
  const [rows, vocabulary, width] = shape;
  const hidden = sample(`hidden ${shape}`, [rows, width]);
  const table = sample(`table ${shape}`, [vocabulary, width], 0.3);
  const dy = tf.tensor1d(Float32Array.from(normalSample(`head-loss/dy ${shape}`, [rows]).data));
  const of = (loss: Loss) => {
    const run = (...[h, t]: tf.Tensor[]) => loss(h as tf.Tensor2D, t as tf.Tensor2D);
    const { value, grads } = tf.valueAndGrads(run)([hidden, table], dy);
    // without a backward pass to come there are no slopes, and the same losses
    expect(run(hidden, table).dataSync()).toEqual(value.dataSync());
    return [value, ...grads].map((tensor) => tensor.dataSync());
  };
  const wanted = of(expected);
  for (const [i, numbers] of of(actual).entries()) {
    expect(numbers).toBeAllClose(wanted[i]!, { rtol: 1e-4, atol: 1e-5 });
  }
}

/** Sizes at which the fused losses cut rows and vocabulary, too large for central differences. */
export function testHeadLoss(backend: string): void {
  // more logits than are kept where the losses are fused, which take tfjs in JavaScript a minute
  const large = backend === 'tensorflow' ? ([[4200, 1000, 3]] as const) : [];
  for (const shape of [[300, 37, 16], [70, 5003, 9], [530, 1500, 3], ...large] as const) {
    it(`losses from hidden states, [${shape}]: as from logits`, () => {
      tf.tidy(() => {
        const [rows, vocabulary] = shape;
        const targets = tf.tensor1d(integerSample(`head-loss/targets ${shape}`, rows, vocabulary), 'int32');
        const logits = (h: tf.Tensor2D, t: tf.Tensor2D) => tf.matMul<tf.Tensor2D>(h, t, false, true);
        compare(
          shape,
          (h, t) => headCrossEntropy(h, t, targets),
          (h, t) => crossEntropy(logits(h, t), targets),
        );
        const first = integerSample(`head-loss/ids ${shape}`, rows, vocabulary);
        const step = Math.floor(vocabulary / 3);
        const ids = tf.tensor2d(
          Int32Array.from(
            { length: 3 * rows },
            (_, i) => (first[Math.floor(i / 3)]! + (i % 3) * step) % vocabulary,
          ),
          [rows, 3],
          'int32',
        );
        const q = tf.mul<tf.Tensor2D>(tf.ones([rows, 3]), [0.4, 0.2, 0.1]);
        for (const tail of [false, true]) {
          compare(
            shape,
            (h, t) => headSparseKl(h, t, ids, q, { tail, temperature: 0.8 }),
            (h, t) => sparseKl(tf.div(logits(h, t), 0.8), ids, q, { tail }),
          );
        }
      });
    });
  }

  it('a table that is trained and one that is not: the gradients of tfjs, and only those that are asked for', () => {
    tf.tidy(() => {
      const [hidden, table] = [sample('hidden', [70, 6]), sample('table', [90, 6])];
      const targets = tf.tensor1d(integerSample('head-loss/targets', 70, 90), 'int32');
      const loss = (h: tf.Tensor, t: tf.Tensor) =>
        tf.sum<tf.Scalar>(headCrossEntropy(h as tf.Tensor2D, t as tf.Tensor2D, targets));
      const wanted = tf
        .grads(loss)([hidden, table])
        .map((gradient) => gradient.dataSync());
      const both = valueAndGradients(() => loss(hidden, table), [hidden, table]).gradients;
      const one = valueAndGradients(() => loss(hidden, table), [hidden]).gradients;
      const made = valueAndGradients(() => loss(hidden, tf.mul(table, 1)), [hidden, table]).gradients;
      expect([both, one, made].map((gradients) => gradients.map((gradient) => gradient!.dataSync()))).toEqual(
        [wanted, [wanted[0]], wanted],
      );
    });
  });

  it('losses from no hidden state: no loss, and a table without a gradient', () => {
    tf.tidy(() => {
      const [hidden, table] = [tf.zeros<tf.Rank.R2>([0, 2]), tf.ones<tf.Rank.R2>([3, 2])];
      const targets = tf.tensor1d([], 'int32');
      expect(headCrossEntropy(hidden, table, targets).shape).toEqual([0]);
      const gradient = tf.grad((t) => tf.sum(headCrossEntropy(hidden, t as tf.Tensor2D, targets)))(table);
      expect([...gradient.dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });
}
