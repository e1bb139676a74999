import {
  type AdaptedMap,
  appendToCache,
  attention,
  attentionBlock,
  attentionMask,
  decoderStep,
  feedForwardBlock,
  fusesDecoderStep,
  type KeyValueCache,
  packedProduct,
  packsWeights,
  packWeights,
  rmsNorm,
  rotary,
  rotaryTable,
  type StepLayers,
  swiglu,
  type WeightFormat,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { STEP_LAYERS } from '../workload/kernel-block-inputs.js';
import type { CaseInputs, KernelCase } from './kernel-case.js';

const [EPSILON, BASE, SCALE] = [1e-5, 10_000, 2];

/** Maps of a block: with adapters these move, else the weights and the norm do. */
function mapsOf(inputs: CaseInputs, names: readonly string[]) {
  const adapted = inputs.has(`${names[0]}Lower`);
  const moving = adapted ? names.flatMap((name) => [`${name}Lower`, `${name}Raise`]) : ['norm', ...names];
  const frozen = (adapted ? ['norm', ...names] : []).map((name) => [name, inputs.tensor(name)] as const);
  return {
    differentiable: ['x', ...moving],
    scale: adapted ? tf.scalar(SCALE) : null,
    /** The norm and the maps of what a run is given. */
    read(given: readonly tf.Tensor[]) {
      const all = new Map([...frozen, ...moving.map((name, i) => [name, given[i]!] as const)]);
      const of = (name: string): AdaptedMap => ({
        weight: all.get(name) as tf.Tensor2D,
        adapter: adapted
          ? {
              lower: all.get(`${name}Lower`) as tf.Tensor2D,
              raise: all.get(`${name}Raise`) as tf.Tensor2D,
            }
          : null,
        dropout: null,
      });
      return { norm: all.get('norm') as tf.Tensor1D, of };
    },
  };
}

function attentionBlockCase(inputs: CaseInputs): KernelCase {
  const [batch, length] = inputs.shape('ranges') as [number, number, number];
  const shape = { batch, queries: length, keys: length };
  const mask = attentionMask(inputs.integers('ranges'), shape);
  const places = Int32Array.from({ length: batch * length }, (_, i) => i % length);
  // an array whose length says how wide a head is
  const headWidth = inputs.shape('head')[0]!;
  const angles = rotaryTable(places, [batch, length], headWidth, BASE);
  const maps = mapsOf(inputs, ['query', 'key', 'value', 'output']);
  return {
    differentiable: maps.differentiable,
    compute(x, ...given) {
      const { norm, of } = maps.read(given);
      const [query, key, value, output] = ['query', 'key', 'value', 'output'].map(of) as Four;
      const block = { norm, epsilon: EPSILON, query, key, value, output, scale: maps.scale };
      return attentionBlock(x as tf.Tensor2D, { ...block, rotary: angles, mask });
    },
  };
}

type Four = [AdaptedMap, AdaptedMap, AdaptedMap, AdaptedMap];

function feedForwardCase(inputs: CaseInputs): KernelCase {
  const maps = mapsOf(inputs, ['gate', 'up', 'down']);
  return {
    differentiable: maps.differentiable,
    compute(x, ...given) {
      const { norm, of } = maps.read(given);
      const block = { norm, epsilon: EPSILON, gate: of('gate'), up: of('up'), down: of('down') };
      return feedForwardBlock(x as tf.Tensor2D, { ...block, scale: maps.scale });
    },
  };
}

/** Where weights cannot be packed, the product that is taken there: that of float32. */
const packedCase =
  (format: WeightFormat) =>
  (inputs: CaseInputs): KernelCase => {
    const x = inputs.tensor<tf.Tensor2D>('x');
    const weight = inputs.tensor<tf.Tensor2D>('weight');
    const map = packWeights(weight, packsWeights() ? format : 'float32');
    return { differentiable: [], compute: () => packedProduct(x, map) };
  };

/** One step on caches that do not grow: its row is written again in every run. */
function decoderStepCase(inputs: CaseInputs): KernelCase {
  const x = inputs.tensor<tf.Tensor2D>('x');
  const [batch, used, , headWidth] = inputs.shape('key0') as [number, number, number, number];
  const tensor = (name: string) => ({ format: 'float32', words: inputs.tensor<tf.Tensor2D>(name) }) as const;
  const layers = Array.from({ length: STEP_LAYERS }, (_, layer) => ({
    maps: Array.from({ length: 7 }, (_, i) => tensor(`map${7 * layer + i}`)) as unknown as Layer['maps'],
    norms: [
      inputs.tensor<tf.Tensor1D>(`norm${2 * layer}`),
      inputs.tensor<tf.Tensor1D>(`norm${2 * layer + 1}`),
    ] as const,
  }));
  const finalNorm = inputs.tensor<tf.Tensor1D>(`norm${2 * STEP_LAYERS}`);
  const caches = layers.map((_, layer) =>
    appendToCache(null, inputs.tensor(`key${layer}`), inputs.tensor(`value${layer}`)),
  );
  const angles = rotaryTable(new Int32Array(batch).fill(used), [batch, 1], headWidth, BASE);
  const fused = fusesDecoderStep();
  const ranges = Int32Array.from({ length: 6 * batch }, (_, i) => (i % 6 === 1 ? used + 1 : 0));
  const keys = fused ? caches[0]!.key.shape[1] : used + 1;
  const mask = attentionMask(ranges, { batch, queries: 1, keys });
  const compute = () => {
    if (fused) return decoderStep(x, { layers, finalNorm, epsilon: EPSILON }, angles, mask.ranges, caches);
    return tf.tidy(() => {
      let y = x;
      for (const [i, layer] of layers.entries()) y = composedLayer(y, layer, caches[i]!, angles, mask);
      return rmsNorm(y, finalNorm, EPSILON);
    });
  };
  return { differentiable: [], compute };
}

type Layer = StepLayers['layers'][number];

function composedLayer(
  x: tf.Tensor2D,
  { maps, norms }: Layer,
  cache: KeyValueCache,
  angles: Parameters<typeof rotary>[1],
  mask: Parameters<typeof attention>[3],
): tf.Tensor2D {
  const [batch] = x.shape;
  const headWidth = cache.key.shape[3];
  const times = (rows: tf.Tensor2D, map: number) => packedProduct(rows, maps[map]!);
  const normed = rmsNorm(x, norms[0], EPSILON) as tf.Tensor2D;
  const heads = (map: number): tf.Tensor4D => tf.reshape(times(normed, map), [batch, 1, -1, headWidth]);
  const seen = (held: tf.Tensor4D, fresh: tf.Tensor4D) =>
    tf.concat([tf.slice(held, [0, 0, 0, 0], [batch, cache.used, ...held.shape.slice(2)]), fresh], 1);
  const key = seen(cache.key, rotary(heads(1), angles));
  const mixed = attention(rotary(heads(0), angles), key, seen(cache.value, heads(2)), mask);
  const middle = tf.add<tf.Tensor2D>(x, times(tf.reshape(mixed, [batch, -1]), 3));
  const next = rmsNorm(middle, norms[1], EPSILON) as tf.Tensor2D;
  return tf.add(middle, times(swiglu(times(next, 4), times(next, 5)) as tf.Tensor2D, 6));
}

/** Kernels that are made of others: halves of a layer, maps with weights of fewer bytes, a step of decoding. */
export const blockCases: Readonly<Record<string, (inputs: CaseInputs) => KernelCase>> = {
  'attention-block': attentionBlockCase,
  'feed-forward-block': feedForwardCase,
  'packed-product-float32': packedCase('float32'),
  'packed-product-bfloat16': packedCase('bfloat16'),
  'packed-product-int8': packedCase('int8'),
  'decoder-step': decoderStepCase,
};
