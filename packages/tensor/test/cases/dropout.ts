import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { dropout } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function dropoutCase(title: string, shape: readonly number[], rate: number): KernelCase {
  const draw = { seed: 11, label: `dropout/${title}`, step: 3 };
  const size = shape.reduce((product, axis) => product * axis, 1);
  const factors = Array.from(randomStream(draw.seed, draw.label, draw.step).uniform(size), (u) =>
    u < rate ? 0 : 1 / (1 - rate),
  );
  return {
    title: `dropout, ${title}`,
    inputs: { x: normalSample(`dropout/${title}`, shape) },
    outputShape: shape,
    open: () => {
      const mask = tf.tensor(factors, [...shape]);
      return {
        kernel: ({ x }) => dropout(x!, rate, draw),
        composition: ({ x }) => tf.mul(x!, mask),
        constants: [mask],
      };
    },
    reference: ({ x }) => x!.map((value, i) => value * factors[i]!),
  };
}

export const dropoutCases = [
  dropoutCase('[2, 3, 5]', [2, 3, 5], 0.3),
  dropoutCase('one number', [1], 0.5),
  dropoutCase('most of it', [4, 8], 0.9),
  dropoutCase('nothing', [2, 3], 0),
];
