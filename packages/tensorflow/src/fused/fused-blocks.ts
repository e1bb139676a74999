import type { BackwardContext, KernelImplementation, NamedTensors } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { runOp } from './run-op.js';

/** A half of a layer, by the names of its inputs. */
interface Half {
  readonly operation: string;
  readonly maps: readonly string[];
  readonly constants: readonly string[];
  /** Whether some rows may be read alone. */
  readonly selects: boolean;
  /** How many outputs its forward pass keeps for the backward pass: all but the first. */
  readonly kept: number;
}

const adapterOf = (map: string) => [`${map}Lower`, `${map}Raise`];

function block(half: Half): KernelImplementation {
  const { operation, maps, kept } = half;
  const weights = ['norm', ...maps];
  return {
    forward: (inputs, { epsilon }) => {
      const { tensors, counts } = operands(half, inputs);
      return runOp(operation, tensors, kept + 1, { epsilon: epsilon!, ...counts });
    },
    backward: ({ outputGradients: [dy], inputs, outputs, wanted }: BackwardContext) => {
      const { tensors, counts, adapted } = operands(half, inputs);
      const ofWeights = weights.some((name) => wanted.has(name));
      const names = ofWeights ? ['x', 'norm'] : ['x'];
      for (const map of maps) names.push(...(ofWeights ? [map] : []), ...(adapted ? adapterOf(map) : []));
      const given = [...tensors, ...outputs.slice(1), dy!];
      const made = runOp(`${operation}Gradient`, given, names.length, {
        ...counts,
        gradient_count: BigInt(names.length),
        weights: ofWeights,
      });
      const gradients: Record<string, () => tf.Tensor> = {};
      names.forEach((name, i) => {
        if (wanted.has(name)) gradients[name] = () => made[i]!;
        else made[i]!.dispose();
      });
      return gradients;
    },
  };
}

/** The operation's inputs in its order, of which the last are lists, and how long those are that are not empty. */
function operands({ maps, constants, selects }: Half, inputs: NamedTensors) {
  const read = selects && isGiven(inputs.read) ? [inputs.read!] : [];
  const adapted = isGiven(inputs.scale);
  // among maps with adapters, one without has two that are empty
  const adapter = (name: string) => inputs[name] ?? tf.tensor1d([]);
  const adapters = adapted ? [...maps.flatMap(adapterOf).map(adapter), inputs.scale!] : [];
  const dropout = isGiven(inputs.draws) ? [inputs.draws!, inputs.kept!] : [];
  const fixed = ['x', 'norm', ...maps, ...constants].map((name) => inputs[name]!);
  return {
    tensors: [...fixed, ...read, ...adapters, ...dropout],
    counts: {
      ...(read.length > 0 && { read_count: 1n }),
      ...(adapted && { adapter_count: BigInt(adapters.length) }),
      ...(dropout.length > 0 && { draw_count: 1n }),
    },
    adapted,
  };
}

/** Whether an input is there: what is not is undefined, or an empty float32 tensor where tfjs's engine records it. */
const isGiven = (tensor: tf.Tensor | undefined) =>
  tensor !== undefined && (tensor.size > 0 || tensor.dtype === 'int32');

export const feedForward = block({
  operation: 'LatentFeedForward',
  maps: ['gate', 'up', 'down'],
  constants: [],
  selects: false,
  kept: 1,
});

export const attentionBlock = block({
  operation: 'LatentAttentionBlock',
  maps: ['query', 'key', 'value', 'output'],
  constants: ['cosine', 'sine', 'ranges'],
  selects: true,
  kept: 3,
});
