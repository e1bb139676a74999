import type {
  BackwardContext,
  KernelAttributes,
  KernelImplementation,
  NamedTensors,
} from '@latent-sft/tensor';
import type * as tf from '@tensorflow/tfjs';
import { runOp } from './run-op.js';

const mapInputs = (name: string) => [name, `${name}Lower`, `${name}Raise`];

/** A half of a layer: what goes in besides its maps, what its forward pass keeps for the backward pass, its flags. */
function block(
  operation: string,
  maps: readonly string[],
  constants: readonly string[],
  kept: number,
  flags: readonly string[] = [],
): KernelImplementation {
  const weights = ['norm', ...maps];
  const moving = ['x', 'norm', ...maps.flatMap(mapInputs)];
  const read = (inputs: NamedTensors) => [...moving, ...constants].map((name) => inputs[name]!);
  const flagged = (attributes: KernelAttributes) =>
    Object.fromEntries(flags.map((name) => [name, attributes[name]!]));
  return {
    forward: (inputs, attributes) =>
      runOp(operation, read(inputs), kept + 1, { epsilon: attributes.epsilon!, ...flagged(attributes) }),
    backward: ({ outputGradients: [dy], inputs, outputs, attributes, wanted }: BackwardContext) => {
      const given = [...read(inputs), ...outputs.slice(1), dy!];
      const made = runOp(`${operation}Gradient`, given, moving.length, {
        ...flagged(attributes),
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
  [...adapters, 'cosine', 'sine', 'ranges', 'read'],
  7,
  ['selected'],
);
