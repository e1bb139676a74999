import * as tf from '@tensorflow/tfjs';
import { swiglu } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

function swigluCase(title: string, shape: readonly number[], scale: number): KernelCase {
  return {
    title: `swiglu, ${title}`,
    inputs: {
      gate: normalSample(`swiglu/gate/${title}`, shape, scale),
      up: normalSample(`swiglu/up/${title}`, shape),
    },
    outputShape: shape,
    open: () => ({
      kernel: ({ gate, up }) => swiglu(gate!, up!),
      composition: ({ gate, up }) => tf.mul(tf.div(gate!, tf.add(1, tf.exp(tf.neg(gate!)))), up!),
      constants: [],
    }),
    reference: ({ gate, up }) => gate!.map((g, i) => (g / (1 + Math.exp(-g))) * up![i]!),
  };
}

export const swigluCases = [
  swigluCase('[2, 3, 5]', [2, 3, 5], 1),
  swigluCase('one row', [1, 9], 1),
  swigluCase('large gates', [4, 8], 10),
];
