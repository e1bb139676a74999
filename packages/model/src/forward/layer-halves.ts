import {
  type AdaptedMap,
  type AdapterDropout,
  attentionBlock,
  attentionBlockWithKeys,
  feedForwardBlock,
  type RowSelection,
} from '@latent-sft/tensor';
import type * as tf from '@tensorflow/tfjs';
import { traitsOf } from '../architecture.js';
import { type Parameters, parameter } from '../parameters/parameters.js';
import type { DecoderPass } from './decoder-states.js';

/**
 * A layer's x + attention(norm(x)) as one block, [B * T, D], or [R, D] where only R rows are read; null where the
 * block does not fit: with a cache, biases, norms of queries and keys, or learned positions.
 */
export function attentionHalf(
  pass: DecoderPass,
  x: tf.Tensor2D,
  layer: number,
  read: RowSelection | null,
): tf.Tensor2D | null {
  const { config, parameters, positions, mask, cache, onKeys } = pass;
  const { queryKeyNorm, norm } = traitsOf(config.architecture);
  if (cache || queryKeyNorm || norm !== 'rms' || !positions.rotary) return null;
  const names = namesOf(layer);
  const maps = mapsOf(pass, names.attention);
  if (!maps) return null;
  const [query, key, value, output] = maps as [AdaptedMap, AdaptedMap, AdaptedMap, AdaptedMap];
  const block = {
    ...{ query, key, value, output, mask, rotary: positions.rotary, read },
    norm: parameter<tf.Tensor1D>(parameters, names.attentionNorm),
    epsilon: config.normEpsilon,
    scale: scaleOf(parameters),
  };
  if (!onKeys) return attentionBlock(x, block);
  const made = attentionBlockWithKeys(x, block);
  onKeys(layer, made.key, made.value);
  return made.y;
}

/** A layer's x + feedForward(norm(x)) as one block, [N, D]; null where the block does not fit: with biases or GELU. */
export function feedForwardHalf(pass: DecoderPass, x: tf.Tensor2D, layer: number): tf.Tensor2D | null {
  const { config, parameters } = pass;
  const { norm, feedForward } = traitsOf(config.architecture);
  if (norm !== 'rms' || feedForward !== 'swiglu') return null;
  const names = namesOf(layer);
  const maps = mapsOf(pass, names.feedForward);
  if (!maps) return null;
  const [gate, up, down] = maps as [AdaptedMap, AdaptedMap, AdaptedMap];
  return feedForwardBlock(x, {
    ...{ gate, up, down },
    norm: parameter(parameters, names.feedForwardNorm),
    epsilon: config.normEpsilon,
    scale: scaleOf(parameters),
  });
}

/** The names of a map's tensors. */
interface MapNames {
  readonly map: string;
  readonly weight: string;
  readonly bias: string;
  readonly lower: string;
  readonly raise: string;
}

interface LayerNames {
  readonly attentionNorm: string;
  readonly attention: readonly MapNames[];
  readonly feedForwardNorm: string;
  readonly feedForward: readonly MapNames[];
}

/** By layer: a pass of a small model is short enough to notice some hundred strings joined again. */
const namesByLayer: LayerNames[] = [];

function namesOf(layer: number): LayerNames {
  const prefix = `model.layers.${layer}`;
  namesByLayer[layer] ??= {
    attentionNorm: `${prefix}.input_layernorm.weight`,
    attention: ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((map) => mapNames(`${prefix}.self_attn.${map}`)),
    feedForwardNorm: `${prefix}.post_attention_layernorm.weight`,
    feedForward: ['gate_proj', 'up_proj', 'down_proj'].map((map) => mapNames(`${prefix}.mlp.${map}`)),
  };
  return namesByLayer[layer];
}

const mapNames = (map: string): MapNames => ({
  map,
  weight: `${map}.weight`,
  bias: `${map}.bias`,
  lower: `${map}.lora_A.weight`,
  raise: `${map}.lora_B.weight`,
});

/** The maps of a block; null if one has a bias. */
function mapsOf({ parameters, dropout }: DecoderPass, names: readonly MapNames[]): AdaptedMap[] | null {
  if (names.some(({ bias }) => parameters.has(bias))) return null;
  return names.map((each) => adaptedMap(parameters, each, dropout ?? null));
}

function adaptedMap(
  parameters: Parameters,
  { map, weight, lower: lowerName, raise }: MapNames,
  dropout: AdapterDropout | null,
): AdaptedMap {
  const lower = parameters.get(lowerName) as tf.Tensor2D | undefined;
  return {
    weight: parameter(parameters, weight),
    adapter: lower ? { lower, raise: parameter(parameters, raise) } : null,
    // each map draws its own numbers
    dropout: lower && dropout ? { ...dropout, label: `${dropout.label}/${map}` } : null,
  };
}

function scaleOf(parameters: Parameters): tf.Scalar | null {
  return (parameters.get('lora_scale') as tf.Scalar | undefined) ?? null;
}
