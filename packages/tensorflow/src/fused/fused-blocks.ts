import type { BackwardContext, KernelImplementation, NamedTensors } from '@latent-sft/tensor';
import type * as tf from '@tensorflow/tfjs';
import { runOp } from './run-op.js';

const mapInputs = (name: string) => [name, `${name}Lower`, `${name}Raise`];

/** A half of a layer: what goes in besides its maps, and what its forward pass keeps for the backward pass. */
function block(
  operation: string,
  maps: readonly string[],
  constants: readonly string[],
  kept: number,
): KernelImplementation {
  const weights = ['norm', ...maps];
  const moving = ['x', 'norm', ...maps.flatMap(mapInputs)];
  const read = (inputs: NamedTensors) => [...moving, ...constants].map((name) => inputs[name]!);
  return {
    forward: (inputs, { epsilon }) => runOp(operation, read(inputs), kept + 1, { epsilon: epsilon! }),
    backward: ({ outputGradients: [dy], inputs, outputs, wanted }: BackwardContext) => {
      const given = [...read(inputs), ...outputs.slice(1), dy!];
      const made = runOp(`${operation}Gradient`, given, moving.length, {
        weights: weights.some((name) => wanted.has(name)),
      });
      const gradients: Record<string, () => tf.Tensor> = {};
      moving.forEach((name, i) => {
        if (wanted.has(name)) gradients[name] = () => made[i]!;
        else made[i]!.dispose();
      });
      return gradients;
    },
  };
}

const adapters = ['scale', 'draws', 'kept'];

export const feedForward = block('LatentFeedForward', ['gate', 'up', 'down'], adapters, 4);

export const attentionBlock = block(
  'LatentAttentionBlock',
  ['query', 'key', 'value', 'output'],
  [...adapters, 'cosine', 'sine', 'ranges'],
  7,
);
