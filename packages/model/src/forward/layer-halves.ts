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
  const prefix = `model.layers.${layer}.self_attn`;
  if (cache || queryKeyNorm || norm !== 'rms' || !positions.rotary) return null;
  const maps = mapsOf(pass, prefix, ['q_proj', 'k_proj', 'v_proj', 'o_proj']);
  if (!maps) return null;
  const [query, key, value, output] = maps as [AdaptedMap, AdaptedMap, AdaptedMap, AdaptedMap];
  const block = {
    ...{ query, key, value, output, mask, rotary: positions.rotary, read },
    norm: parameter<tf.Tensor1D>(parameters, `model.layers.${layer}.input_layernorm.weight`),
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
  const maps = mapsOf(pass, `model.layers.${layer}.mlp`, ['gate_proj', 'up_proj', 'down_proj']);
  if (!maps) return null;
  const [gate, up, down] = maps as [AdaptedMap, AdaptedMap, AdaptedMap];
  return feedForwardBlock(x, {
    ...{ gate, up, down },
    norm: parameter(parameters, `model.layers.${layer}.post_attention_layernorm.weight`),
    epsilon: config.normEpsilon,
    scale: scaleOf(parameters),
  });
}

/** The maps of a block; null if one has a bias. */
function mapsOf(
  { parameters, dropout }: DecoderPass,
  prefix: string,
  names: readonly string[],
): AdaptedMap[] | null {
  if (names.some((name) => parameters.has(`${prefix}.${name}.bias`))) return null;
  return names.map((name) => adaptedMap(parameters, `${prefix}.${name}`, dropout ?? null));
}

function adaptedMap(parameters: Parameters, name: string, dropout: AdapterDropout | null): AdaptedMap {
  const lower = parameters.get(`${name}.lora_A.weight`) as tf.Tensor2D | undefined;
  return {
    weight: parameter(parameters, `${name}.weight`),
    adapter: lower ? { lower, raise: parameter(parameters, `${name}.lora_B.weight`) } : null,
    // each map draws its own numbers
    dropout: lower && dropout ? { ...dropout, label: `${dropout.label}/${name}` } : null,
  };
}

function scaleOf(parameters: Parameters): tf.Scalar | null {
  return (parameters.get('lora_scale') as tf.Scalar | undefined) ?? null;
}
