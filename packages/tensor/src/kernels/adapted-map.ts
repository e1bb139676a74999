import * as tf from '@tensorflow/tfjs';
import { type AdapterDropout, adaptedLinear } from './adapted-linear.js';
import { drawAttributes } from './dropout.js';

/** A linear map of a block, [out, in], with or without a low-rank adapter beside it. */
export interface AdaptedMap {
  readonly weight: tf.Tensor2D;
  /** A [r, in] and B [out, r]. */
  readonly adapter: { readonly lower: tf.Tensor2D; readonly raise: tf.Tensor2D } | null;
  /** What the adapter does not see of its input. */
  readonly dropout: AdapterDropout | null;
}

/** The names of a map's tensors among a kernel's inputs. */
export const mapInputNames = (name: string) => [name, ...adapterInputNames(name)];

const adapterInputNames = (name: string) => [`${name}Lower`, `${name}Raise`];

/** Those that a kernel has only where one of its maps has an adapter, or where that drops something. */
export const optionalInputNames = (maps: readonly string[]) => [
  ...maps.flatMap(adapterInputNames),
  ...['scale', 'draws', 'kept'],
];

/** A map's result by itself, float32 [N, out]. */
export function mapped(x: tf.Tensor2D, map: AdaptedMap, scale: tf.Scalar | null): tf.Tensor2D {
  if (!map.adapter) return tf.matMul(x, map.weight, false, true);
  const { lower, raise } = map.adapter;
  return adaptedLinear(x, map.weight, lower, raise, scaleOf(scale), map.dropout);
}

/** The tensors of a block's maps as inputs of a kernel: weights, and adapters, scale and draws where there are some. */
export function mapInputs(
  maps: Readonly<Record<string, AdaptedMap>>,
  scale: tf.Scalar | null,
): Record<string, tf.Tensor> {
  const inputs: Record<string, tf.Tensor> = {};
  for (const [name, { weight, adapter }] of Object.entries(maps)) {
    inputs[name] = weight;
    if (!adapter) continue;
    inputs[`${name}Lower`] = adapter.lower;
    inputs[`${name}Raise`] = adapter.raise;
    inputs.scale = scaleOf(scale);
  }
  const drawn = inputs.scale ? drawsOf(Object.values(maps)) : null;
  if (drawn) {
    inputs.draws = tf.tensor1d(drawn.words, 'int32');
    inputs.kept = tf.tensor1d([drawn.kept]);
  }
  return inputs;
}

/** The draws of all maps, five words each as TensorFlow has integers; none where nothing is dropped. */
function drawsOf(maps: readonly AdaptedMap[]): { words: Int32Array; kept: number } | null {
  const words = new Int32Array(5 * maps.length);
  let kept = 0;
  maps.forEach(({ adapter, dropout }, i) => {
    const draw = adapter && dropout && drawAttributes('mapInputs', dropout.rate, dropout);
    if (!draw) return;
    const { threshold, stepLow, stepHigh, key0, key1, scale } = draw as Readonly<Record<string, number>>;
    words.set([threshold!, stepLow!, stepHigh!, key0!, key1!], 5 * i);
    kept = scale!;
  });
  return kept > 0 ? { words, kept } : null;
}

function scaleOf(scale: tf.Scalar | null): tf.Scalar {
  if (scale) return scale;
  throw new Error('mapped: expected the scale of adapters, got none');
}
