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
): KernelCase {
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
      return {
        kernel: ({ x, weight, lower, raise }) =>
          adaptedLinear(
            x as tf.Tensor2D,
            weight as tf.Tensor2D,
            lower as tf.Tensor2D,
            raise as tf.Tensor2D,
            scale,
          ),
        composition: ({ x, weight, lower, raise }) => {
          const low = tf.matMul(x as tf.Tensor2D, lower as tf.Tensor2D, false, true);
          const adapter = tf.matMul(low, raise as tf.Tensor2D, false, true);
          return tf.add(
            tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true),
            tf.mul(adapter, SCALE),
          );
        },
        constants: [scale],
      };
    },
    reference: ({ x, weight, lower, raise }) => {
      const y = new Float64Array(rows * output);
      for (let n = 0; n < rows; n++) {
        for (let o = 0; o < output; o++) {
          for (let i = 0; i < input; i++) {
            let w = weight![o * input + i]!;
            for (let r = 0; r < rank; r++) w += SCALE * raise![o * rank + r]! * lower![r * input + i]!;
            y[n * output + o]! += w * x![n * input + i]!;
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
];
