import type * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';
import type { KeyValueCache } from './key-value-cache.js';
import { BITS_OF, type PackedMap } from './packed-weights.js';
import type { RotaryTable } from './rotary.js';

/** One layer of a decoder with rotary positions, RMS norms and SwiGLU. */
export interface StepLayer {
  /** Query, key, value, output, gate, up and down. */
  readonly maps: readonly [PackedMap, PackedMap, PackedMap, PackedMap, PackedMap, PackedMap, PackedMap];
  /** Of attention and feed-forward, float32 [D]. */
  readonly norms: readonly [tf.Tensor1D, tf.Tensor1D];
}

/** All layers of a decoder, with maps of one format. */
export interface StepLayers {
  readonly layers: readonly StepLayer[];
  /** float32 [D] */
  readonly finalNorm: tf.Tensor1D;
  readonly epsilon: number;
}

const kernel = defineKernel({
  name: 'LatentDecoderStep',
  inputs: [],
  outputs: 1,
  saved: { inputs: [], outputs: [] },
  composition: null,
});

/** Whether the current backend runs a step of a decoder as one operation. */
export function fusesDecoderStep(): boolean {
  return isOverridden(kernel);
}

/**
 * One more token a row, or the next T of a single row, through all layers of a decoder, as one operation:
 * x + attention(norm(x)), then x + down(silu(gate(n)) up(n)) with n = norm(x), for each layer. Keys and values are
 * written into the caches' next rows, in place: nobody else may hold the caches' memory. Only where
 * `fusesDecoderStep()`; without gradient.
 *
 * @param x float32 [B T, D], with B or T 1
 * @param rotary one position a token
 * @param ranges int32 [B, T, 3, 2], the keys that each token sees
 * @param caches one a layer, [B, C, G, d] with room for T more rows
 * @returns states after the final norm, float32 [B T, D]
 * @throws if there is not one cache a layer, all of one length with room.
 */
export function decoderStep(
  x: tf.Tensor2D,
  { layers, finalNorm, epsilon }: StepLayers,
  rotary: RotaryTable,
  ranges: tf.Tensor,
  caches: readonly KeyValueCache[],
): tf.Tensor2D {
  const [used, room] = [caches[0]?.used ?? 0, caches[0]?.key.shape[1] ?? 0];
  const count = caches[0]?.key.shape[0] === 1 ? x.shape[0] : 1;
  const fits = caches.every((cache) => cache.used === used && cache.key.shape[1] === room);
  if (caches.length !== layers.length || !fits || used + count > room) {
    throw new Error(
      `decoderStep: expected ${layers.length} caches of one length with room, got ${caches.length} with ${used} rows of ${room}`,
    );
  }
  const inputs: Record<string, tf.Tensor> = { x, cosine: rotary.cosine, sine: rotary.sine, ranges };
  const add = (name: string, tensors: readonly tf.Tensor[]) => {
    tensors.forEach((tensor, i) => {
      inputs[`${name}${i}`] = tensor;
    });
  };
  add(
    'map',
    layers.flatMap(({ maps }) => maps.map(({ words }) => words)),
  );
  add('norm', [...layers.flatMap(({ norms }) => norms), finalNorm]);
  add(
    'cache',
    caches.flatMap(({ key, value }) => [key, value]),
  );
  const bits = BITS_OF[layers[0]!.maps[0].format];
  return runKernel(kernel, inputs, { used, bits, epsilon, layers: layers.length })[0] as tf.Tensor2D;
}
