import * as tf from '@tensorflow/tfjs';
import type { NamedArray } from '../weights/named-array.js';
import { type LoraSettings, loraScale } from './lora.js';

const A_SUFFIX = '.lora_A.weight';

/**
 * The base with an adapter added into it, W + (alpha / rank) B A; what the adapter does not touch is shared.
 *
 * @throws if the adapter is on a map that the base lacks, or of another size.
 */
export function mergeLora(
  base: ReadonlyMap<string, NamedArray>,
  adapter: ReadonlyMap<string, NamedArray>,
  settings: LoraSettings,
): Map<string, NamedArray> {
  const merged = new Map(base);
  for (const [name, lowered] of adapter) {
    if (!name.endsWith(A_SUFFIX)) continue;
    const map = name.slice(0, -A_SUFFIX.length);
    const weight = base.get(`${map}.weight`);
    const raised = adapter.get(`${map}.lora_B.weight`);
    if (!weight || !raised) {
      throw new Error(
        `mergeLora: expected both ${map}.weight and its lora_B, got ${weight ? 'no B' : 'no weight'}`,
      );
    }
    const transposed = map === 'model.embed_tokens';
    const sides = [raised.shape[0], lowered.shape[1]];
    if (transposed) sides.reverse();
    if (sides.join() !== weight.shape.join()) {
      throw new Error(`mergeLora: expected an adapter of ${map} [${weight.shape}], got [${sides}]`);
    }
    merged.set(`${map}.weight`, {
      shape: weight.shape,
      data: addProduct(weight, lowered, raised, settings, transposed),
    });
  }
  return merged;
}

function addProduct(
  weight: NamedArray,
  lowered: NamedArray,
  raised: NamedArray,
  settings: LoraSettings,
  transposed: boolean,
): Float32Array {
  const sum = tf.tidy(() => {
    const a = tf.tensor2d(lowered.data, lowered.shape as [number, number]);
    const b = tf.tensor2d(raised.data, raised.shape as [number, number]);
    const product = transposed ? tf.matMul(a, b, true, true) : tf.matMul(b, a);
    return tf.add(tf.tensor(weight.data, [...weight.shape]), tf.mul(product, loraScale(settings)));
  });
  const data = Float32Array.from(sum.dataSync());
  sum.dispose();
  return data;
}
