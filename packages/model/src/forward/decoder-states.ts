import {
  type AdapterDropout,
  type AttentionMask,
  attention,
  checkpointed,
  embedding,
  gatherRows,
  gelu,
  type RotaryTable,
  type RowSelection,
  readQueries,
  rotary,
  swiglu,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import { type Parameters, parameter } from '../parameters/parameters.js';
import type { LayerCache } from './layer-cache.js';
import { attentionHalf, feedForwardHalf } from './layer-halves.js';
import { linear, norm } from './maps.js';
import type { PositionTable } from './positions.js';

/** A pass over B rows of T tokens. */
export interface DecoderPass {
  readonly config: ModelConfig;
  readonly parameters: Parameters;
  /** Input embeddings, float32 [B, T, D], or the rows of that, [B * T, D]. */
  readonly inputs: tf.Tensor<tf.Rank.R2 | tf.Rank.R3>;
  /** The T positions of each row. */
  readonly positions: PositionTable;
  /** Which of the S = cached + T keys each query sees. */
  readonly mask: AttentionMask;
  /** Keys and values of earlier tokens; this pass appends its own. */
  readonly cache?: readonly LayerCache[];
  /**
   * Told the keys, turned, and values of each layer, float32 [B, T, G, d], which go once it returns: to fill an empty
   * cache from a pass that attends to its own keys alone.
   */
  readonly onKeys?: (layer: number, key: tf.Tensor4D, value: tf.Tensor4D) => void;
  /**
   * Whether only the input of each layer is kept for the backward pass, which computes the layer again: less memory
   * for a third more time, the same gradients to the bit. Default false.
   */
  readonly checkpoint?: boolean;
  /** What adapters do not see of their inputs while they train; the draws of a map are named `label/map`. */
  readonly dropout?: AdapterDropout | null;
}

/**
 * States after the final norm of a decoder: per layer x + attention(norm(x)), then x + feed-forward(norm(x)).
 *
 * @returns float32 [B, T, D]
 * @throws if the inputs are not [B, T, width] for the mask's B and T.
 * @throws if layers are to be computed again that have a cache.
 */
export function decoderStates(pass: DecoderPass): tf.Tensor3D {
  const [batch, length] = extentOf(pass);
  return tf.tidy(() => tf.reshape(statesOf('decoderStates', pass, null), [batch, length, pass.config.width]));
}

/**
 * The same states of the rows that are read, alone: in the last layer only keys and values are made of every row, all
 * that comes after them of these.
 *
 * @param read out of the B * T rows
 * @returns float32 [R, D]
 * @throws if the inputs are not [B, T, width] for the mask's B and T.
 * @throws if layers are to be computed again that have a cache.
 * @throws if the rows are not chosen out of B * T.
 */
export function readStates(pass: DecoderPass, read: RowSelection): tf.Tensor2D {
  const [batch, length] = extentOf(pass);
  if (read.total !== batch * length) {
    throw new Error(`readStates: expected rows out of ${batch} x ${length}, got ${read.total}`);
  }
  return statesOf('readStates', pass, read);
}

/** B and T, which the mask has. */
function extentOf({ mask }: DecoderPass): readonly [batch: number, length: number] {
  const [batch, length] = mask.ranges.shape;
  return [batch, length];
}

function statesOf(caller: string, pass: DecoderPass, read: RowSelection | null): tf.Tensor2D {
  const { config, parameters, inputs, positions, checkpoint } = pass;
  const [batch, length] = extentOf(pass);
  const { width } = config;
  if (inputs.shape.at(-1) !== width || inputs.size !== batch * length * width) {
    throw new Error(`${caller}: expected inputs [${batch}, ${length}, ${width}], got [${inputs.shape}]`);
  }
  if (checkpoint && pass.cache) {
    throw new Error(`${caller}: expected checkpoint without a cache, got both`);
  }
  return tf.tidy(() => {
    // rows of all maps, [B T, D]: only attention tells the rows of the batch apart
    let x = inputs.rank === 2 ? (inputs as tf.Tensor2D) : tf.reshape<tf.Rank.R2>(inputs, [-1, width]);
    if (positions.ids) {
      const table = parameter<tf.Tensor2D>(parameters, 'model.position_embeddings.weight');
      x = tf.add(x, embedding(table, positions.ids));
    }
    const computed = checkpoint ? checkpointedLayer : decoderLayer;
    for (let layer = 0; layer < config.layers; layer++) {
      const needed = layer === config.layers - 1 ? read : null;
      // what a layer made goes when it is done, except what gradients need
      x = tf.tidy(() => computed(pass, x, layer, needed));
    }
    return norm(config, parameters, x, 'model.norm');
  });
}

/** One layer, [B T, D] to [B T, D], or to [R, D] where only R rows are read. */
function decoderLayer(
  pass: DecoderPass,
  x: tf.Tensor2D,
  layer: number,
  read: RowSelection | null,
): tf.Tensor2D {
  const attended =
    attentionHalf(pass, x, layer, read) ??
    tf.add<tf.Tensor2D>(read ? gatherRows(x, read) : x, attentionOf(pass, x, layer, read));
  return feedForwardHalf(pass, attended, layer) ?? tf.add(attended, feedForwardOf(pass, attended, layer));
}

/** The same from the layer's tensors as inputs, adapters included, so that gradients reach them. */
function checkpointedLayer(
  pass: DecoderPass,
  x: tf.Tensor2D,
  layer: number,
  read: RowSelection | null,
): tf.Tensor2D {
  const named = [...pass.parameters].filter(([name]) => name.startsWith(`model.layers.${layer}.`));
  return checkpointed([x, ...named.map(([, tensor]) => tensor)], ([input, ...tensors]) => {
    const given = named.map(([name], i) => [name, tensors[i]!] as const);
    const parameters = new Map([...pass.parameters, ...given]);
    return decoderLayer({ ...pass, parameters }, input as tf.Tensor2D, layer, read);
  });
}

/** Attention of norm(input), without the residual: what `attentionHalf` has no block for. */
function attentionOf(
  pass: DecoderPass,
  input: tf.Tensor2D,
  layer: number,
  read: RowSelection | null,
): tf.Tensor2D {
  const { config, parameters, cache, onKeys, dropout } = pass;
  const x = norm(config, parameters, input, `model.layers.${layer}.input_layernorm`);
  const { heads, keyValueHeads, headWidth } = config;
  const { queryKeyNorm } = traitsOf(config.architecture);
  const [batch, length] = extentOf(pass);
  const prefix = `model.layers.${layer}.self_attn`;
  const project = (y: tf.Tensor2D, name: string) => linear(parameters, y, `${prefix}.${name}`, dropout);
  const split = (y: tf.Tensor2D, count: number): tf.Tensor4D =>
    tf.reshape(y, [batch, y.shape[0] / batch, count, headWidth]);
  const place = (y: tf.Tensor4D, name: string, rotaryTable: RotaryTable | null): tf.Tensor4D => {
    const normed = queryKeyNorm ? norm(config, parameters, y, `${prefix}.${name}`) : y;
    return rotaryTable ? rotary(normed, rotaryTable) : normed;
  };
  const angles = pass.positions.rotary;
  const queries = readQueries({ shape: [batch, length], rotary: angles, mask: pass.mask }, read);
  const queryRows = project(read ? gatherRows(x, read) : x, 'q_proj');
  const query = place(split(queries.spread(queryRows), heads), 'q_norm', queries.rotary); // [B, T or R, H, d]
  let key = place(split(project(x, 'k_proj'), keyValueHeads), 'k_norm', angles); // [B, T, G, d]
  let value = split(project(x, 'v_proj'), keyValueHeads);
  onKeys?.(layer, key, value);
  if (cache) ({ key, value } = cache[layer]!.append(key, value)); // [B, S, G, d]
  const mixed: tf.Tensor2D = tf.reshape(attention(query, key, value, queries.mask), [
    query.shape[0] * query.shape[1],
    heads * headWidth,
  ]);
  return project(queries.collect(mixed), 'o_proj');
}

/** The feed-forward part of norm(input), without the residual: what `feedForwardHalf` has no block for. */
function feedForwardOf(
  { config, parameters, dropout }: DecoderPass,
  input: tf.Tensor2D,
  layer: number,
): tf.Tensor2D {
  const x = norm(config, parameters, input, `model.layers.${layer}.post_attention_layernorm`);
  const map = (y: tf.Tensor2D, name: string) =>
    linear(parameters, y, `model.layers.${layer}.mlp.${name}`, dropout);
  const up = map(x, 'up_proj'); // [B T, F]
  const gated = traitsOf(config.architecture).feedForward === 'swiglu';
  return map(gated ? swiglu(map(x, 'gate_proj'), up) : gelu(up), 'down_proj');
}
