import * as tf from '@tensorflow/tfjs';
import { defineKernel, type NamedTensors, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentAdamW',
  inputs: [],
  outputs: 1,
  saved: { inputs: [], outputs: [] },
  // a fused implementation writes in place and gives the norm alone; this one gives new tensors after it
  composition: {
    forward: (inputs, attributes) => {
      const { beta1, beta2, epsilon, rate, decay, clip } = attributes as Record<string, number>;
      const {
        mean: oldMean,
        variance: oldVariance,
        decayed: flags,
        losses,
      } = inputs as Record<string, tf.Tensor>;
      const all = adamWList(inputs, 'weights', flags!.size);
      const flat = (tensors: readonly tf.Tensor[]) =>
        tf.concat(tensors.map((each) => tf.reshape(each, [-1])));
      const gradient = flat(adamWList(inputs, 'gradient', flags!.size));
      const norm = tf.sqrt(tf.sum(tf.square(gradient)));
      const [length, loss] = [norm.dataSync()[0]!, tf.sum(losses!).dataSync()[0]!];
      if (!Number.isFinite(length) || !Number.isFinite(loss)) return [norm];

      const clipped = length > clip! ? tf.mul(gradient, clip! / length) : gradient;
      const mean = tf.add(tf.mul(oldMean!, beta1!), tf.mul(clipped, 1 - beta1!));
      const variance = tf.add(tf.mul(oldVariance!, beta2!), tf.mul(tf.square(clipped), 1 - beta2!));
      const move = tf.div(mean, tf.add(tf.sqrt(variance), epsilon!));
      const kept = [...flags!.dataSync()].map((flag, i) => tf.fill([all[i]!.size], flag ? 1 - decay! : 1));
      const next = tf.sub(tf.mul(flat(all), tf.concat(kept)), tf.mul(move, rate!));
      const parts = tf.split(
        next,
        all.map(({ size }) => size),
      );
      return [norm, mean, variance, ...parts.map((part, i) => tf.reshape(part, all[i]!.shape))];
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
  /** Largest norm of all gradients together; a longer one is scaled to it. */
  readonly clip: number;
  /** 1 for the first step. */
  readonly step: number;
}

/** What AdamW carries from step to step, for all weights, one tensor after the other, float32 [P]. */
export interface AdamWState {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/** All tensors that are trained, with their optimiser state. */
export interface AdamWVariables {
  readonly weights: readonly tf.Tensor[];
  readonly state: AdamWState;
}

/**
 * One AdamW step over all weights (Loshchilov and Hutter 2019, algorithm 2), with the gradient clipped to a norm:
 * w <- w - lr (m^ / (sqrt(v^) + epsilon) + decay w).
 *
 * The variables given are used up: where the kernel is fused they are written into, in their own memory, and given
 * back; elsewhere they are disposed, and new ones given. So nobody else may hold their memory, neither a clone or a
 * reshaped tensor nor the array that a tensor was made from. Where the norm or the sum of the losses is not finite,
 * nothing changes and they are given back.
 *
 * @param variables N tensors of P numbers in all, and their state
 * @param gradients one for each tensor of weights, of its shape; the caller keeps them
 * @param decayed whether weight decay applies to a tensor; int32 [N]
 * @param losses what the gradients are of, float32 [L]
 * @returns the variables after the step, and the norm of the gradients before clipping, a scalar that the caller owns
 * @throws if weights, gradients and flags differ in number or shape, the state in length, or the step is below 1.
 * @throws where the kernel is fused, if someone else holds memory of the variables.
 */
export function adamW(
  variables: AdamWVariables,
  gradients: readonly tf.Tensor[],
  decayed: tf.Tensor1D,
  losses: tf.Tensor1D,
  settings: AdamWSettings,
): { variables: AdamWVariables; norm: tf.Scalar } {
  const { weights, state } = variables;
  const fits = ({ shape }: tf.Tensor, i: number) => tf.util.arraysEqual(shape, weights[i]?.shape ?? []);
  if (gradients.length !== weights.length || !gradients.every(fits)) {
    const shapes = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape }) => `[${shape}]`).join(', ');
    throw new Error(
      `adamW: expected gradients ${shapes(weights)} like the weights, got ${shapes(gradients) || 'none'}`,
    );
  }
  const total = weights.reduce((sum, { size }) => sum + size, 0);
  const sizes = [state.mean.size, state.variance.size, decayed.size];
  if (String(sizes) !== String([total, total, weights.length])) {
    throw new Error(
      `adamW: expected a state of ${total} numbers and ${weights.length} flags, got ${sizes.join(', ')}`,
    );
  }
  const { learningRate, beta1, beta2, epsilon, weightDecay, clip, step } = settings;
  if (!(step >= 1)) throw new Error(`adamW: expected a step from 1 on, got ${step}`);
  const correction = Math.sqrt(1 - beta2 ** step);
  const inputs: Record<string, tf.Tensor> = { mean: state.mean, variance: state.variance, decayed, losses };
  weights.forEach((weight, i) => {
    inputs[numbered('weights', i)] = weight;
    inputs[numbered('gradient', i)] = gradients[i]!;
  });
  const [norm, mean, variance, ...next] = runKernel(kernel, inputs, {
    ...{ beta1, beta2, clip },
    // both bias corrections folded into two scalars (Kingma and Ba 2015, end of section 2)
    epsilon: epsilon * correction,
    rate: (learningRate * correction) / (1 - beta1 ** step),
    decay: learningRate * weightDecay,
  }) as [tf.Scalar, tf.Tensor1D?, tf.Tensor1D?, ...tf.Tensor[]];
  if (!mean || !variance) return { variables, norm };
  tf.dispose([...weights, state.mean, state.variance]);
  return { variables: { weights: next, state: { mean, variance } }, norm };
}

/** Names of a list of inputs, made once: a step of a small model has a hundred. */
const numberedNames: Record<'weights' | 'gradient', string[]> = { weights: [], gradient: [] };

function numbered(list: 'weights' | 'gradient', i: number): string {
  numberedNames[list][i] ??= `${list}${i}`;
  return numberedNames[list][i];
}

/** The N weights or gradients among the kernel's inputs, in their order. */
export function adamWList(inputs: NamedTensors, list: 'weights' | 'gradient', count: number): tf.Tensor[] {
  return Array.from({ length: count }, (_, i) => inputs[numbered(list, i)]!);
}
