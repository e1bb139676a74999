import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { crossEntropy, fullKl, mixture, sparseKl } from '../src/index.js';
import './matchers.js';

// Computed once with PyTorch in float64 from the definitions in the docstrings, printed to six decimals.
const GOLDEN = {
  logits: [0.3, 0.1, -0.2, 0.9, 0.4, 0],
  teacherIds: [3, 0, 4],
  teacherAlpha: [0.628532, 0.231224, 0.140244],
  fullTeacher: [0.202183, 0.074379, 0.045113, 0.54959, 0.12263, 0.006105],
  klSparse: 0.510098,
  klSparseGradient: [-0.067111, 0.134364, 0.099539, -0.329499, 0.041128, 0.121578],
  klFull: 0.230723,
  crossEntropyOfTarget2: 2.307201,
  table: [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, -1, 0, 1],
  mixed: [0.859756, 0.768776, 0.140244],
};
const PRINTED = { rtol: 0, atol: 2e-6 };

/** Declares the tests against numbers of another implementation. */
export function testGoldenLosses(): void {
  it('losses and mixture give the numbers of PyTorch', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d(GOLDEN.logits, [1, 6]);
      const ids = tf.tensor2d(GOLDEN.teacherIds, [1, 3], 'int32');
      const alpha = tf.tensor2d(GOLDEN.teacherAlpha, [1, 3]);
      const sparse = (x: tf.Tensor) => sparseKl(x as tf.Tensor2D, ids, alpha);
      expect(sparse(logits).dataSync()).toBeAllClose([GOLDEN.klSparse], PRINTED);
      expect(tf.grad(sparse)(logits).dataSync()).toBeAllClose(GOLDEN.klSparseGradient, PRINTED);
      const full = tf.tensor2d(GOLDEN.fullTeacher, [1, 6]);
      expect(fullKl(logits, full).dataSync()).toBeAllClose([GOLDEN.klFull], PRINTED);
      const nll = crossEntropy(logits, tf.tensor1d([2], 'int32'));
      expect(nll.dataSync()).toBeAllClose([GOLDEN.crossEntropyOfTarget2], PRINTED);
      const z = mixture(alpha, ids, tf.tensor2d(GOLDEN.table, [6, 3]));
      expect(z.dataSync()).toBeAllClose(GOLDEN.mixed, PRINTED);
    });
  });

  it('a full teacher of probability 0 somewhere costs nothing there', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([0, 0, 0, 0], [1, 4]);
      const oneHot = tf.tensor2d([0, 1, 0, 0], [1, 4]);
      expect(fullKl(logits, oneHot).dataSync()).toBeAllClose([Math.log(4)]);
      expect(
        tf
          .grad((x) => fullKl(x as tf.Tensor2D, oneHot))(logits)
          .dataSync(),
      ).toBeAllClose([0.25, -0.75, 0.25, 0.25]);
    });
  });

  it('a teacher that leaves no tail asks nothing of the bucket', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([1, 2, 3], [1, 3]);
      const ids = tf.tensor2d([2, 0, 1], [1, 3], 'int32');
      const alpha = tf.tensor2d([0.5, 0.25, 0.25], [1, 3]);
      for (const tail of [false, true]) {
        const kl = (x: tf.Tensor) => sparseKl(x as tf.Tensor2D, ids, alpha, { tail });
        const gradient = tf.grad(kl)(logits).dataSync();
        const total = Math.exp(1) + Math.exp(2) + Math.exp(3);
        const expected = [0.25, 0.25, 0.5].map((q, j) => Math.exp(j + 1) / total - q);
        expect(gradient).toBeAllClose(expected);
        const cost = [0.25, 0.25, 0.5].reduce(
          (sum, q, j) => sum + q * Math.log(q / (Math.exp(j + 1) / total)),
          0,
        );
        expect(kl(logits).dataSync()).toBeAllClose([cost]);
      }
    });
  });
}
