import * as tf from '@tensorflow/tfjs';

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
  return tf.tidy(() => {
    const mean = tf.add(tf.mul(state.mean, beta1), tf.mul(gradient, 1 - beta1)) as tf.Tensor1D;
    const variance = tf.add(
      tf.mul(state.variance, beta2),
      tf.mul(tf.square(gradient), 1 - beta2),
    ) as tf.Tensor1D;
    // both bias corrections folded into two scalars
    const rate = learningRate / (1 - beta1 ** step);
    const correction = 1 / Math.sqrt(1 - beta2 ** step);
    const move = tf.div(mean, tf.add(tf.mul(tf.sqrt(variance), correction), epsilon));
    const kept = tf.sub(1, tf.mul(decayed, learningRate * weightDecay));
    return {
      weights: tf.sub(tf.mul(weights, kept), tf.mul(move, rate)) as tf.Tensor1D,
      state: { mean, variance },
    };
  });
}
