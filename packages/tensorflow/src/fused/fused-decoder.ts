import type { KernelImplementation } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { runOp } from './run-op.js';

const MAPS_PER_LAYER = 7;

export const decoderStep: KernelImplementation = {
  forward: (inputs, { used, bits, epsilon, layers }) => {
    const { x, cosine, sine, ranges, ...lists } = inputs;
    const extent = tf.tensor1d([used as number, bits as number], 'int32');
    // maps, norms and caches, in the order in which they were named
    const given = [x!, cosine!, sine!, ranges!, extent, ...Object.values(lists)];
    const counts = {
      map_count: BigInt(MAPS_PER_LAYER * (layers as number)),
      norm_count: BigInt(2 * (layers as number) + 1),
      cache_count: BigInt(2 * (layers as number)),
    };
    return runOp('LatentDecoderStep', given, 1, { ...counts, epsilon: epsilon! });
  },
  backward: () => ({}),
};

export const packWeights: KernelImplementation = {
  forward: ({ weight }, { bits }) =>
    runOp('LatentPackWeights', [weight!, tf.tensor1d([bits as number], 'int32')], 1),
  backward: () => ({}),
};

export const packedProduct: KernelImplementation = {
  forward: ({ x, words }, { bits }) =>
    runOp('LatentPackedProduct', [x!, words!, tf.tensor1d([bits as number], 'int32')], 1),
  backward: () => ({}),
};
