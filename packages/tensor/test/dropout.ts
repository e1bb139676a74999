import { philox, streamKey } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { adaptedLinear, dropout } from '../src/index.js';
import { normalSample } from './sample.js';

const SIZE = 40_001;
const draw = { seed: 2 ** 31 + 5, label: 'student/layer 3', step: 2 ** 32 + 9 };

const run = (rate: number, other: Partial<typeof draw> = {}) =>
  tf.tidy(() =>
    dropout(tf.ones([SIZE]), rate, { ...draw, ...other })
      .dataSync<'float32'>()
      .slice(),
  );

/** Declares the tests of dropout that need more than a few numbers. */
export function testDropout(): void {
  it('dropout: the bits that Philox gives on the host, forward and backward, signs of zeros too', () => {
    const rate = 0.37;
    const x = Float32Array.from(normalSample('dropout', [SIZE]).data);
    const key = streamKey(draw.seed, draw.label);
    const expected = x.map((value, i) => {
      const word = philox([Math.floor(i / 4), 9, 1, 0], key)[i % 4]!;
      return value * (word < Math.round(rate * 2 ** 32) ? 0 : Math.fround(1 / (1 - rate)));
    });
    tf.tidy(() => {
      const input = tf.tensor1d(x);
      const bits = (tensor: tf.Tensor) => new Int32Array(tensor.dataSync<'float32'>().slice().buffer);
      const wanted = new Int32Array(expected.buffer);
      expect(bits(dropout(input, rate, draw))).toEqual(wanted);
      const gradient = tf.grad((value) => dropout(value, rate, draw))(tf.zeros([SIZE]), input);
      expect(bits(gradient)).toEqual(wanted);
    });
  });

  it.each([0.05, 0.1, 0.5, 0.9])('dropout: drops a share of %d and scales the rest', (rate) => {
    const y = run(rate);
    const dropped = y.filter((value) => value === 0).length / SIZE;
    // four standard deviations
    expect(Math.abs(dropped - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / SIZE));
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
  });

  it('dropout: the same draw drops the same numbers, any other draw others', () => {
    const y = run(0.5);
    expect(run(0.5)).toEqual(y);
    for (const other of [{ seed: 6 }, { label: 'student/layer 4' }, { step: draw.step + 1 }, { step: 9 }]) {
      const changed = run(0.5, other).filter((value, i) => value !== y[i]).length / SIZE;
      expect(Math.abs(changed - 0.5), JSON.stringify(other)).toBeLessThan(0.02);
    }
  });

  it('adaptedLinear: with dropout the weight sees all of x, the adapter all of it on average', () => {
    tf.tidy(() => {
      const matrix = (name: string, shape: [number, number]) => {
        const { data } = normalSample(`mean/${name}`, shape);
        return tf.tensor2d(Float32Array.from(data), shape);
      };
      const [x, weight, lower, raise] = [
        matrix('x', [1, 6]),
        matrix('w', [3, 6]),
        matrix('a', [2, 6]),
        matrix('b', [3, 2]),
      ];
      const scale = tf.scalar(0.5);
      const run = (step: number | null) =>
        adaptedLinear(
          x!,
          weight!,
          lower!,
          raise!,
          scale,
          step === null ? null : { ...draw, rate: 0.3, step },
        );
      const whole = run(null).dataSync();
      const base = tf.matMul(x!, weight!, false, true).dataSync();
      const draws = 3000;
      const mean = [0, 0, 0];
      const square = [0, 0, 0];
      for (let step = 0; step < draws; step++) {
        tf.tidy(() => run(step))
          .dataSync()
          .forEach((value, i) => {
            mean[i]! += value / draws;
            square[i]! += (value - whole[i]!) ** 2 / draws;
          });
      }
      mean.forEach((value, i) => {
        expect(square[i]).toBeGreaterThan(0);
        // four standard errors
        expect(Math.abs(value - whole[i]!)).toBeLessThan(4 * Math.sqrt(square[i]! / draws));
      });
      const silent = adaptedLinear(x!, weight!, lower!, tf.zerosLike(raise!), scale, { ...draw, rate: 0.3 });
      expect([...silent.dataSync()]).toEqual([...base]);
    });
  });
}
