import * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';

/** What a packed weight is made of; int8 has a scale for each row of its map. */
export type WeightFormat = 'float32' | 'bfloat16' | 'int8';

/** A map [out, in] for rows of few numbers; the caller disposes the words where it packed them. */
export interface PackedMap {
  readonly format: WeightFormat;
  /** float32 [out, words]: the weights themselves, or memory that holds their bits. */
  readonly words: tf.Tensor2D;
}

export const BITS_OF: Readonly<Record<WeightFormat, number>> = { float32: 32, bfloat16: 16, int8: 8 };

const unfused = { saved: { inputs: [], outputs: [] }, outputs: 1, composition: null } as const;
const packing = defineKernel({ name: 'LatentPackWeights', inputs: ['weight'], ...unfused });
const product = defineKernel({ name: 'LatentPackedProduct', inputs: ['x', 'words'], ...unfused });

/** Whether the current backend computes with packed weights. */
export function packsWeights(): boolean {
  return isOverridden(packing) && isOverridden(product);
}

/**
 * The weights of a map in a format of fewer bytes: bfloat16 rounded to nearest, int8 within +-127 times the largest
 * magnitude of its row / 127. float32 is the tensor itself, not a copy.
 *
 * @param weight float32 [out, in]
 * @throws if the current backend does not compute with packed weights.
 */
export function packWeights(weight: tf.Tensor2D, format: WeightFormat): PackedMap {
  if (format === 'float32') return { format, words: weight };
  if (!packsWeights()) {
    throw new Error(`packWeights: expected an engine with fused kernels, got ${tf.getBackend()} without`);
  }
  const [words] = runKernel(packing, { weight }, { bits: BITS_OF[format] });
  return { format, words: words as tf.Tensor2D };
}

/**
 * x W^T, for a map W [out, in]: each weight is read once for several rows. Without gradient for packed weights.
 *
 * @param x float32 [R, in]
 * @returns float32 [R, out]
 * @throws if the current backend does not compute with packed weights, unless they are float32.
 */
export function packedProduct(x: tf.Tensor2D, map: PackedMap): tf.Tensor2D {
  if (isOverridden(product)) {
    return runKernel(product, { x, words: map.words }, { bits: BITS_OF[map.format] })[0] as tf.Tensor2D;
  }
  if (map.format !== 'float32') {
    throw new Error(`packedProduct: expected float32 weights on ${tf.getBackend()}, got ${map.format}`);
  }
  return tf.matMul(x, map.words, false, true);
}
