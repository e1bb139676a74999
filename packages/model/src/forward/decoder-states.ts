import {
  type AdapterDropout,
  type AttentionMask,
  attention,
  checkpointed,
  embedding,
  gelu,
  rotary,
  swiglu,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import { type Parameters, parameter } from '../parameters/parameters.js';
import type { LayerCache } from './layer-cache.js';
import { linear, norm } from './maps.js';
import type { PositionTable } from './positions.js';

/** A pass over B rows of T tokens. */
export interface DecoderPass {
  readonly config: ModelConfig;
  readonly parameters: Parameters;
  /** Input embeddings, float32 [B, T, D]. */
  readonly inputs: tf.Tensor3D;
  /** The T positions of each row. */
  readonly positions: PositionTable;
  /** Which of the S = cached + T keys each query sees. */
  readonly mask: AttentionMask;
  /** Keys and values of earlier tokens; this pass appends its own. */
  readonly cache?: readonly LayerCache[];
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
 * @throws if the inputs are not [B, T, width].
 * @throws if layers are to be computed again that have a cache.
 */
export function decoderStates(pass: DecoderPass): tf.Tensor3D {
  const { config, parameters, inputs, positions, checkpoint } = pass;
  if (inputs.shape[2] !== config.width) {
    throw new Error(`decoderStates: expected inputs [B, T, ${config.width}], got [${inputs.shape}]`);
  }
  if (checkpoint && pass.cache) {
    throw new Error('decoderStates: expected checkpoint without a cache, got both');
  }
  return tf.tidy(() => {
    // rows of all maps, [B T, D]: only attention tells the rows of the batch apart
    let x: tf.Tensor2D = tf.reshape(inputs, [inputs.shape[0] * inputs.shape[1], config.width]);
    if (positions.ids) {
      const table = parameter<tf.Tensor2D>(parameters, 'model.position_embeddings.weight');
      x = tf.add(x, embedding(table, positions.ids));
    }
    const computed = checkpoint ? checkpointedLayer : decoderLayer;
    // what a layer made goes when it is done, except what gradients need
    for (let layer = 0; layer < config.layers; layer++) x = tf.tidy(() => computed(pass, x, layer));
    return tf.reshape(norm(config, parameters, x, 'model.norm'), inputs.shape);
  });
}

function decoderLayer(pass: DecoderPass, x: tf.Tensor2D, layer: number): tf.Tensor2D {
  const { config, parameters } = pass;
  const prefix = `model.layers.${layer}`;
  const attentionInput = norm(config, parameters, x, `${prefix}.input_layernorm`);
  const attended: tf.Tensor2D = tf.add(x, attentionBlock(pass, attentionInput, layer));
  const feedForwardInput = norm(config, parameters, attended, `${prefix}.post_attention_layernorm`);
  return tf.add(attended, feedForward(pass, feedForwardInput, layer));
}

/** The same from the layer's tensors as inputs, adapters included, so that gradients reach them. */
function checkpointedLayer(pass: DecoderPass, x: tf.Tensor2D, layer: number): tf.Tensor2D {
  const named = [...pass.parameters].filter(([name]) => name.startsWith(`model.layers.${layer}.`));
  return checkpointed([x, ...named.map(([, tensor]) => tensor)], ([input, ...tensors]) => {
    const given = named.map(([name], i) => [name, tensors[i]!] as const);
    const parameters = new Map([...pass.parameters, ...given]);
    return decoderLayer({ ...pass, parameters }, input as tf.Tensor2D, layer);
  });
}

function attentionBlock(pass: DecoderPass, x: tf.Tensor2D, layer: number): tf.Tensor2D {
  const { config, parameters, positions, mask, cache, dropout } = pass;
  const { heads, keyValueHeads, headWidth } = config;
  const { queryKeyNorm } = traitsOf(config.architecture);
  const [batch, length] = pass.inputs.shape;
  const prefix = `model.layers.${layer}.self_attn`;
  const project = (name: string, count: number): tf.Tensor4D =>
    tf.reshape(linear(parameters, x, `${prefix}.${name}`, dropout), [batch, length, count, headWidth]);
  const place = (y: tf.Tensor4D, name: string): tf.Tensor4D => {
    const normed = queryKeyNorm ? norm(config, parameters, y, `${prefix}.${name}`) : y;
    return positions.rotary ? rotary(normed, positions.rotary) : normed;
  };
  const query = place(project('q_proj', heads), 'q_norm'); // [B, T, H, d]
  let key = place(project('k_proj', keyValueHeads), 'k_norm'); // [B, T, G, d]
  let value = project('v_proj', keyValueHeads);
  if (cache) ({ key, value } = cache[layer]!.append(key, value)); // [B, S, G, d]
  const mixed: tf.Tensor2D = tf.reshape(attention(query, key, value, mask), [
    batch * length,
    heads * headWidth,
  ]);
  return linear(parameters, mixed, `${prefix}.o_proj`, dropout);
}

function feedForward(
  { config, parameters, dropout }: DecoderPass,
  x: tf.Tensor2D,
  layer: number,
): tf.Tensor2D {
  const map = (y: tf.Tensor2D, name: string) =>
    linear(parameters, y, `model.layers.${layer}.mlp.${name}`, dropout);
  const up = map(x, 'up_proj'); // [B T, F]
  const gated = traitsOf(config.architecture).feedForward === 'swiglu';
  return map(gated ? swiglu(map(x, 'gate_proj'), up) : gelu(up), 'down_proj');
}
