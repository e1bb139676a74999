import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { adaptedLinear } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

const SCALE = 1.5;

function adaptedLinearCase(
  title: string,
  rows: number,
  input: number,
  output: number,
  rank: number,
  rate = 0,
): KernelCase {
  const draw = { rate, seed: 5, label: `adapted/${title}`, step: 2 };
  const uniform = randomStream(draw.seed, draw.label, draw.step).uniform(rows * input);
  const factors = Array.from(uniform, (u) => (u < rate ? 0 : 1 / (1 - rate)));
  const sample = (name: string, shape: readonly number[]) => normalSample(`adapted/${name}/${title}`, shape);
  return {
    title: `adaptedLinear, ${title}`,
    inputs: {
      x: sample('x', [rows, input]),
      weight: sample('weight', [output, input]),
      lower: sample('lower', [rank, input]),
      raise: sample('raise', [output, rank]),
    },
    outputShape: [rows, output],
    open: () => {
      const scale = tf.scalar(SCALE);
      const mask = tf.tensor2d(factors, [rows, input]);
      return {
        kernel: ({ x, weight, lower, raise }) =>
          adaptedLinear(
            x as tf.Tensor2D,
            weight as tf.Tensor2D,
            lower as tf.Tensor2D,
            raise as tf.Tensor2D,
            scale,
            draw,
          ),
        composition: ({ x, weight, lower, raise }) => {
          const low = tf.matMul(tf.mul<tf.Tensor2D>(x!, mask), lower as tf.Tensor2D, false, true);
          const adapter = tf.matMul(low, raise as tf.Tensor2D, false, true);
          return tf.add(
            tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true),
            tf.mul(adapter, SCALE),
          );
        },
        constants: [scale, mask],
      };
    },
    reference: ({ x, weight, lower, raise }) => {
      const y = new Float64Array(rows * output);
      for (let n = 0; n < rows; n++) {
        for (let o = 0; o < output; o++) {
          for (let i = 0; i < input; i++) {
            let adapter = 0;
            for (let r = 0; r < rank; r++) adapter += SCALE * raise![o * rank + r]! * lower![r * input + i]!;
            y[n * output + o]! +=
              (weight![o * input + i]! + factors[n * input + i]! * adapter) * x![n * input + i]!;
          }
        }
      }
      return y;
    },
  };
}

export const adaptedLinearCases = [
  adaptedLinearCase('fewer rows than inputs: beside the weight', 3, 7, 5, 2),
  adaptedLinearCase('as many rows as inputs: merged into the weight', 7, 7, 4, 3),
  adaptedLinearCase('one row', 1, 6, 3, 1),
  adaptedLinearCase('dropout where rows are few', 3, 7, 5, 2, 0.4),
  adaptedLinearCase('dropout where rows are many', 9, 4, 5, 2, 0.4),
];
