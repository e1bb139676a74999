import { adamWList, type KernelAttributes, type KernelImplementation } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { attentionBlock, feedForward } from './fused-blocks.js';
import { decoderStep, packedProduct, packWeights } from './fused-decoder.js';
import { headCrossEntropy, headSparseKl } from './fused-head.js';
import { headTopWords, topWords } from './fused-top-words.js';
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

const cacheAppend: KernelImplementation = {
  forward: ({ cachedKey, cachedValue, key, value }, { used, capacity }) => {
    const extent = tf.tensor1d([used as number, capacity as number], 'int32');
    return runOp('LatentCacheAppend', [cachedKey!, cachedValue!, key!, value!, extent], 2);
  },
  backward: () => ({}),
};

const cachePrompts: KernelImplementation = {
  forward: ({ key, value, lengths }, { used, capacity }) => {
    const extent = tf.tensor1d([used as number, capacity as number], 'int32');
    return runOp('LatentCachePrompts', [key!, value!, lengths!, extent], 2);
  },
  backward: () => ({}),
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

/** The draw's words as TensorFlow has integers, signed; bits are the same. */
const drop = (x: tf.Tensor, { threshold, stepLow, stepHigh, key0, key1, scale }: KernelAttributes) => {
  const words = Int32Array.of(...([threshold, stepLow, stepHigh, key0, key1] as number[]));
  return runOp('LatentDropout', [x, tf.tensor1d(words, 'int32'), tf.tensor1d([scale as number])], 1)[0]!;
};

const dropout: KernelImplementation = {
  forward: ({ x }, attributes) => [drop(x!, attributes)],
  backward: ({ outputGradients: [dy], attributes }) => ({ x: () => drop(dy!, attributes) }),
};

const adamW: KernelImplementation = {
  forward: (inputs, attributes) => {
    const { beta1, beta2, epsilon, rate, decay, clip } = attributes as Record<string, number>;
    const settings = tf.tensor1d([beta1!, beta2!, epsilon!, rate!, decay!, clip!]);
    const { mean, variance, decayed, losses } = inputs;
    const count = decayed!.size;
    const [weights, gradients] = [adamWList(inputs, 'weights', count), adamWList(inputs, 'gradient', count)];
    const read = [...weights, ...gradients, mean!, variance!, decayed!, losses!, settings];
    return runOp('LatentAdamW', read, 1, { count: BigInt(count) });
  },
  backward: () => ({}),
};

/** A loss whose forward pass makes its slope too, so that the backward pass only scales rows. */
function vocabularyLoss(operation: string, inputNames: readonly string[]): KernelImplementation {
  return {
    forward: (inputs, attributes) => {
      const read = inputNames.map((name) => inputs[name]!);
      return runOp(operation, read, 2, attributes);
    },
    backward: ({ outputGradients: [dy], outputs: [, slope] }) => ({
      logits: () => runOp('LatentScaleRows', [slope!, dy!], 1)[0]!,
    }),
  };
}

/** The rows of `table` at `rows`; unlike `tf.gather`, the indices are checked where they are. */
const gather = (table: tf.Tensor, rows: tf.Tensor) => runOp('LatentGatherRows', [table, rows], 1)[0]!;

/** The rows of `first`, then of `second`, at `places`. */
const pick = (first: tf.Tensor, second: tf.Tensor, places: tf.Tensor) =>
  runOp('LatentPickRows', [first, second, places], 1)[0]!;

const embedding: KernelImplementation = {
  forward: ({ table, ids }) => [gather(table!, ids!)],
  backward: ({ outputGradients: [dy], inputs: { table, ids } }) => ({
    table: () => runOp('LatentTableGradient', [table!, ids!, tf.tensor1d([]), dy!], 1)[0]!,
  }),
};

const mixture: KernelImplementation = {
  forward: ({ alpha, ids, table }) => runOp('LatentMixture', [alpha!, ids!, table!], 1),
  backward: ({ outputGradients: [dz], inputs: { alpha, ids, table } }) => ({
    alpha: () => runOp('LatentMixtureGradient', [dz!, ids!, table!], 1)[0]!,
    table: () => runOp('LatentTableGradient', [table!, ids!, alpha!, dz!], 1)[0]!,
  }),
};

/** What mixes rows and what multiplies them are each other's gradients. */
const rowProducts: KernelImplementation = {
  forward: ({ x, ids, table }) => runOp('LatentMixtureGradient', [x!, ids!, table!], 1),
  backward: ({ outputGradients: [dy], inputs: { x, ids, table } }) => ({
    x: () => runOp('LatentMixture', [dy!, ids!, table!], 1)[0]!,
    table: () => runOp('LatentTableGradient', [table!, ids!, dy!, x!], 1)[0]!,
  }),
};

const gatherRows: KernelImplementation = {
  forward: ({ x, rows }) => [gather(x!, rows!)],
  backward: ({ outputGradients: [dy], inputs: { inverse } }) => ({
    x: () => pick(dy!, tf.zeros([1, dy!.shape[1]!]), inverse!),
  }),
};

const scatterRows: KernelImplementation = {
  forward: ({ base, values, source }) => [pick(base!, values!, source!)],
  backward: ({ outputGradients: [dy], inputs: { rows, source } }) => ({
    base: () => pick(dy!, tf.zeros([rows!.size, dy!.shape[1]!]), source!),
    values: () => gather(dy!, rows!),
  }),
};

/** Every fused implementation by the name of its kernel. */
export const FUSED_KERNELS: Readonly<Record<string, KernelImplementation>> = {
  LatentAttention: attention,
  LatentAttentionBlock: attentionBlock,
  LatentFeedForward: feedForward,
  LatentCacheAppend: cacheAppend,
  LatentCachePrompts: cachePrompts,
  LatentDecoderStep: decoderStep,
  LatentPackWeights: packWeights,
  LatentPackedProduct: packedProduct,
  LatentSwiglu: swiglu,
  LatentRmsNorm: rmsNorm,
  LatentRotary: rotary,
  LatentDropout: dropout,
  LatentAdamW: adamW,
  LatentCrossEntropy: vocabularyLoss('LatentCrossEntropy', ['logits', 'targets']),
  LatentFullKl: vocabularyLoss('LatentFullKl', ['logits', 'probabilities']),
  LatentSparseKl: vocabularyLoss('LatentSparseKl', ['logits', 'ids', 'probabilities']),
  LatentHeadCrossEntropy: headCrossEntropy,
  LatentHeadSparseKl: headSparseKl,
  LatentEmbedding: embedding,
  LatentMixture: mixture,
  LatentRowProducts: rowProducts,
  LatentGatherRows: gatherRows,
  LatentScatterRows: scatterRows,
  LatentTopWords: topWords,
  LatentHeadTopWords: headTopWords,
};

/** Those that compute matrix products themselves, in float32. */
export const OWN_PRODUCTS: ReadonlySet<string> = new Set([
  'LatentAttentionBlock',
  'LatentDecoderStep',
  'LatentFeedForward',
  'LatentHeadCrossEntropy',
  'LatentHeadSparseKl',
  'LatentHeadTopWords',
  'LatentPackWeights',
  'LatentPackedProduct',
]);
