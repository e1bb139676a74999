import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { start } from './start-tensorflow.js';

const missing = await start();

describe.skipIf(missing !== null)(`matrix products${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const numbers = (shape: [number, number]) => tf.randomNormal<tf.Rank.R2>(shape, 0, 1, 'float32', 3);
  const batchOfOne = (x: tf.Tensor2D) => tf.expandDims<tf.Tensor3D>(x, 0);

  it.each([
    [1, 576, 96],
    [5, 7, 3],
    [130, 64, 200],
    [1, 1, 1],
  ])('[%d, %d] x [.., %d], either factor transposed, equals a batch of one', (m, k, n) => {
    for (const transposed of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      tf.tidy(() => {
        const a = numbers(transposed[0] ? [k, m] : [m, k]);
        const b = numbers(transposed[1] ? [n, k] : [k, n]);
        const product = tf.matMul<tf.Tensor2D>(a, b, ...transposed);
        expect(product.shape).toEqual([m, n]);
        const expected = tf.matMul(batchOfOne(a), batchOfOne(b), ...transposed);
        const difference = tf.max(tf.abs(tf.sub(product, tf.squeeze(expected, [0])))).dataSync()[0];
        expect(difference).toBeLessThan(1e-6 * k);
      });
    }
  });

  it('leaves no tensor behind and has gradients', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const [a, b] = [numbers([3, 4]), numbers([4, 2])];
      const [toA, toB] = tf.grads((x, y) => tf.sum(tf.matMul(x!, y!)))([a, b]);
      const ones = tf.ones<tf.Rank.R2>([3, 2]);
      expect([...toA!.dataSync()]).toEqual([...tf.matMul(ones, b, false, true).dataSync()]);
      expect([...toB!.dataSync()]).toEqual([...tf.matMul(a, ones, true, false).dataSync()]);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('of no rows are empty', () => {
    tf.tidy(() => {
      expect(tf.matMul(tf.zeros([0, 4]), numbers([4, 2])).shape).toEqual([0, 2]);
      expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
    });
  });
});
