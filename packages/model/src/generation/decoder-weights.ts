import {
  fusesDecoderStep,
  type PackedMap,
  packWeights,
  type StepLayers,
  type WeightFormat,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { ATTENTION_MAPS, FEED_FORWARD_MAPS, traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import { outputTable, type Parameters, parameter } from '../parameters/parameters.js';

/** A model's maps and output table as decoding steps read them. */
export interface DecoderWeights {
  readonly format: WeightFormat;
  readonly layers: StepLayers;
  /** The output table. */
  readonly readout: PackedMap;
  /** Memory that was taken beside the model's own: 0 for float32. */
  readonly sizeBytes: number;
  dispose(): void;
}

const MAPS = [
  ...ATTENTION_MAPS.map((name) => `self_attn.${name}`),
  ...FEED_FORWARD_MAPS.map((name) => `mlp.${name}`),
];

/**
 * What a decoding step as one operation reads, in one format; float32 is the parameters themselves. The input table
 * stays as it is. The caller disposes it, before the parameters.
 *
 * @returns null where a step is not one operation: on an engine without fused kernels, with biases, adapters that are
 * not merged, norms of queries and keys, LayerNorm, GELU or learned positions.
 */
export function decoderWeights(
  config: ModelConfig,
  parameters: Parameters,
  format: WeightFormat,
): DecoderWeights | null {
  const { queryKeyNorm, norm, positions, feedForward } = traitsOf(config.architecture);
  if (!fusesDecoderStep() || queryKeyNorm || norm !== 'rms' || positions !== 'rotary') return null;
  if (feedForward !== 'swiglu') return null;
  const prefixes = Array.from({ length: config.layers }, (_, layer) => `model.layers.${layer}`);
  const extended = (name: string) =>
    parameters.has(`${name}.bias`) || parameters.has(`${name}.lora_A.weight`);
  if (prefixes.some((prefix) => MAPS.some((name) => extended(`${prefix}.${name}`)))) return null;
  const made: tf.Tensor[] = [];
  const pack = (weight: tf.Tensor2D): PackedMap => {
    const map = packWeights(weight, format);
    if (map.words !== weight) made.push(tf.keep(map.words));
    return map;
  };
  const normOf = (name: string) => parameter<tf.Tensor1D>(parameters, `${name}.weight`);
  const layers = prefixes.map((prefix) => ({
    maps: MAPS.map((name) => pack(parameter(parameters, `${prefix}.${name}.weight`))) as unknown as Seven,
    norms: [normOf(`${prefix}.input_layernorm`), normOf(`${prefix}.post_attention_layernorm`)] as const,
  }));
  return {
    format,
    layers: { layers, finalNorm: normOf('model.norm'), epsilon: config.normEpsilon },
    readout: pack(outputTable(config, parameters)),
    sizeBytes: made.reduce((sum, { size }) => sum + 4 * size, 0),
    dispose: () => tf.dispose(made),
  };
}

type Seven = StepLayers['layers'][number]['maps'];
