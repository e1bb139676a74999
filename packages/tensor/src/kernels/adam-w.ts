import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentAdamW',
  inputs: ['weights', 'gradient', 'mean', 'variance', 'decayed'],
  outputs: 3,
  saved: { inputs: [], outputs: [] },
  composition: {
    forward: (inputs, attributes) => {
      const { weights, gradient, mean: oldMean, variance: oldVariance, decayed } = inputs;
      const { beta1, beta2, epsilon, rate, decay } = attributes as Record<string, number>;
      const mean = tf.add(tf.mul(oldMean!, beta1!), tf.mul(gradient!, 1 - beta1!));
      const variance = tf.add(tf.mul(oldVariance!, beta2!), tf.mul(tf.square(gradient!), 1 - beta2!));
      const move = tf.div(mean, tf.add(tf.sqrt(variance), epsilon!));
      const kept = tf.sub(1, tf.mul(decayed!, decay!));
      return [tf.sub(tf.mul(weights!, kept), tf.mul(move, rate!)), mean, variance];
    },
    backward: () => ({}),
  },
});

/** Settings of one AdamW step. */
export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1 for the first step. */
  readonly step: number;
}

/** What AdamW carries from step to step, one flat vector each, float32 [P]. */
export interface AdamWState {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/**
 * One AdamW step over all parameters as one flat vector (Loshchilov and Hutter 2019, algorithm 2):
 * w <- w - lr (m^ / (sqrt(v^) + epsilon) + decay w).
 *
 * @param weights float32 [P]
 * @param gradient float32 [P]
 * @param decayed 1 where weight decay applies, float32 [P]
 * @returns new weights and state; the caller disposes the old ones.
 * @throws if the vectors differ in length, or the step is below 1.
 */
export function adamW(
  weights: tf.Tensor1D,
  gradient: tf.Tensor1D,
  state: AdamWState,
  decayed: tf.Tensor1D,
  settings: AdamWSettings,
): { weights: tf.Tensor1D; state: AdamWState } {
  const sizes = [gradient, state.mean, state.variance, decayed].map((tensor) => tensor.size);
  if (sizes.some((size) => size !== weights.size)) {
    throw new Error(
      `adamW: expected vectors of ${weights.size} numbers like the weights, got ${sizes.join(', ')}`,
    );
  }
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = settings;
  if (!(step >= 1)) throw new Error(`adamW: expected a step from 1 on, got ${step}`);
  const correction = Math.sqrt(1 - beta2 ** step);
  const [next, mean, variance] = runKernel(
    kernel,
    { weights, gradient, mean: state.mean, variance: state.variance, decayed },
    {
      beta1,
      beta2,
      // both bias corrections folded into two scalars (Kingma and Ba 2015, end of section 2)
      epsilon: epsilon * correction,
      rate: (learningRate * correction) / (1 - beta1 ** step),
      decay: learningRate * weightDecay,
    },
  ) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  return { weights: next, state: { mean, variance } };
}
