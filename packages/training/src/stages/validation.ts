import type { Batch } from '@latent-sft/data';
import * as tf from '@tensorflow/tfjs';
import type { Loss } from '../optimiser/trainable-vector.js';

/**
 * The mean loss over validation examples in chunks, weighted by their number, and the FLOPs of all of them.
 *
 * @param lossOf the loss of one chunk and its FLOPs; it disposes its own batch
 */
export function meanLoss<T>(
  examples: readonly T[],
  chunk: number,
  lossOf: (part: readonly T[]) => { readonly loss: number; readonly flops: number },
): { readonly loss: number; readonly flops: number } {
  let [sum, flops] = [0, 0];
  for (let start = 0; start < examples.length; start += chunk) {
    const part = examples.slice(start, start + chunk);
    const chunkCost = lossOf(part);
    sum += chunkCost.loss * part.length;
    flops += chunkCost.flops;
  }
  return { loss: examples.length > 0 ? sum / examples.length : 0, flops };
}

/** A loss as a number, with everything that it made disposed. */
export function lossValue(lossOf: () => Loss): number {
  const scalar = tf.tidy(() => lossOf().loss);
  const value = scalar.dataSync()[0]!;
  scalar.dispose();
  return value;
}

/** Tokens of several batches that are computed together. */
export function tokensOf(...batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.tokens, 0);
}
