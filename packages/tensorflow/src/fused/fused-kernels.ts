import type { KernelImplementation } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { runOp } from './run-op.js';

/** Gradients that one operation made together, by input. */
function together(
  names: readonly string[],
  gradients: readonly tf.Tensor[],
): Record<string, () => tf.Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, () => gradients[i]!]));
}

const attention: KernelImplementation = {
  forward: ({ query, key, value, ranges }) => runOp('LatentAttention', [query!, key!, value!, ranges!], 2),
  backward: ({ outputGradients: [dy], inputs, outputs: [mixed, logSum] }) => {
    const { query, key, value, ranges } = inputs;
    const read = [query!, key!, value!, ranges!, mixed!, logSum!, dy!];
    return together(['query', 'key', 'value'], runOp('LatentAttentionGradient', read, 3));
  },
};

const swiglu: KernelImplementation = {
  forward: ({ gate, up }) => runOp('LatentSwiglu', [gate!, up!], 1),
  backward: ({ outputGradients: [dy], inputs: { gate, up } }) =>
    together(['gate', 'up'], runOp('LatentSwigluGradient', [gate!, up!, dy!], 2)),
};

const rmsNorm: KernelImplementation = {
  forward: ({ x, weight }, { epsilon }) => runOp('LatentRmsNorm', [x!, weight!], 2, { epsilon: epsilon! }),
  backward: ({ outputGradients: [dy], inputs: { x, weight }, outputs: [, inverse] }) =>
    together(['x', 'weight'], runOp('LatentRmsNormGradient', [x!, weight!, inverse!, dy!], 2)),
};

const rotary: KernelImplementation = {
  forward: ({ x, cosine, sine }) => runOp('LatentRotary', [x!, cosine!, sine!], 1, { backwards: false }),
  backward: ({ outputGradients: [dy], inputs: { cosine, sine } }) => ({
    x: () => runOp('LatentRotary', [dy!, cosine!, sine!], 1, { backwards: true })[0]!,
  }),
};

const adamW: KernelImplementation = {
  forward: ({ weights, gradient, mean, variance, decayed }, attributes) => {
    const { beta1, beta2, epsilon, rate, decay } = attributes as Record<string, number>;
    const settings = tf.tensor1d([beta1!, beta2!, epsilon!, rate!, decay!]);
    return runOp('LatentAdamW', [weights!, gradient!, mean!, variance!, decayed!, settings], 3);
  },
  backward: () => ({}),
};

/** Every fused implementation by the name of its kernel. */
export const FUSED_KERNELS: Readonly<Record<string, KernelImplementation>> = {
  LatentAttention: attention,
  LatentSwiglu: swiglu,
  LatentRmsNorm: rmsNorm,
  LatentRotary: rotary,
  LatentAdamW: adamW,
};
