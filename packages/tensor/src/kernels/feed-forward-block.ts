import * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';
import { type AdaptedMap, mapInputNames, mapInputs, mapped, optionalInputNames } from './adapted-map.js';
import { rmsNorm } from './rms-norm.js';
import { swiglu } from './swiglu.js';

/** The second half of a layer: its norm, and the maps D to F, D to F and F to D. */
export interface FeedForwardBlock {
  /** float32 [D] */
  readonly norm: tf.Tensor1D;
  readonly epsilon: number;
  readonly gate: AdaptedMap;
  readonly up: AdaptedMap;
  readonly down: AdaptedMap;
  /** What adapters are multiplied by; null where there are none. */
  readonly scale: tf.Scalar | null;
}

const maps = ['gate', 'up', 'down'];
const inputs = ['x', 'norm', ...maps.flatMap(mapInputNames), 'scale', 'draws', 'kept'];

const kernel = defineKernel({
  name: 'LatentFeedForward',
  inputs,
  optional: optionalInputNames(maps),
  outputs: 2,
  saved: { inputs, outputs: [1] },
  composition: null,
});

/**
 * A pre-norm feed-forward half of a layer with its residual, y = x + down(silu(gate(n)) up(n)), n = rmsNorm(x)
 * (Shazeer 2020, arXiv 2002.05202). Where it is fused only x, gate(n) and up(n) are kept for the backward pass.
 *
 * @param x float32 [N, D]
 * @returns float32 [N, D]
 * @throws if x is not [N, D] for maps from D to F and back.
 */
export function feedForwardBlock(x: tf.Tensor2D, block: FeedForwardBlock): tf.Tensor2D {
  const { norm, epsilon, gate, up, down, scale } = block;
  const [inner, width] = gate.weight.shape;
  if (x.shape[1] !== width || !tf.util.arraysEqual(up.weight.shape, gate.weight.shape)) {
    throw new Error(
      `feedForwardBlock: expected x [N, ${width}] and up [${inner}, ${width}], got [${x.shape}]`,
    );
  }
  if (!tf.util.arraysEqual(down.weight.shape, [width, inner])) {
    throw new Error(`feedForwardBlock: expected down [${width}, ${inner}], got [${down.weight.shape}]`);
  }
  return tf.tidy(() => {
    if (isOverridden(kernel)) {
      const all = { x, norm, ...mapInputs({ gate, up, down }, scale) };
      return runKernel(kernel, all, { epsilon })[0] as tf.Tensor2D;
    }
    const normed = rmsNorm(x, norm, epsilon);
    const hidden = swiglu(mapped(normed, gate, scale), mapped(normed, up, scale));
    return tf.add(x, mapped(hidden, down, scale));
  });
}
