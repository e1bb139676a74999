import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { type AdamWState, adamW, withoutLeaks } from '../src/index.js';
import './matchers.js';
import { normalSample } from './sample.js';

const SETTINGS = { learningRate: 0.05, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };
const PARAMETERS = 7;
const DECAYED = [1, 1, 0, 1, 0, 0, 1];

/** Algorithm 2 of the paper, one number at a time, with both bias corrections written out. */
function referenceSteps(weights: Float64Array, gradients: readonly Float64Array[]): Float64Array {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = SETTINGS;
  return weights.map((start, i) => {
    let [weight, mean, variance] = [start, 0, 0];
    gradients.forEach((gradient, t) => {
      mean = beta1 * mean + (1 - beta1) * gradient[i]!;
      variance = beta2 * variance + (1 - beta2) * gradient[i]! ** 2;
      const corrected = mean / (1 - beta1 ** (t + 1));
      const scale = Math.sqrt(variance / (1 - beta2 ** (t + 1))) + epsilon;
      weight -= learningRate * (corrected / scale + weightDecay * DECAYED[i]! * weight);
    });
    return weight;
  });
}

/** Declares the tests of the optimiser. */
export function testAdamW(): void {
  it('adamW: six steps with a decay mask equal the reference, and leave no tensor behind', async () => {
    const start = normalSample('adam-w', [PARAMETERS]).data;
    const gradients = Array.from({ length: 6 }, (_, t) => normalSample(`adam-w/${t}`, [PARAMETERS]).data);
    gradients[2]!.fill(0);
    await withoutLeaks(() => {
      let weights = tf.tensor1d(Float32Array.from(start));
      let state: AdamWState = {
        mean: tf.zeros<tf.Rank.R1>([PARAMETERS]),
        variance: tf.zeros<tf.Rank.R1>([PARAMETERS]),
      };
      const decayed = tf.tensor1d(DECAYED);
      gradients.forEach((data, t) => {
        const gradient = tf.tensor1d(Float32Array.from(data));
        const next = adamW(weights, gradient, state, decayed, { ...SETTINGS, step: t + 1 });
        tf.dispose([weights, gradient, state.mean, state.variance]);
        ({ weights, state } = next);
        const expected = referenceSteps(start, gradients.slice(0, t + 1));
        expect(weights.dataSync()).toBeAllClose(expected, { rtol: 1e-5, atol: 1e-6 });
      });
      tf.dispose([weights, state.mean, state.variance, decayed]);
    });
  });
}
