import { type AttentionMask, attention, rmsNorm, rotary, swiglu } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import { type Parameters, parameter } from '../parameters/parameters.js';
import type { LayerCache } from './layer-cache.js';
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
}

/**
 * States after the final norm of a llama-family decoder: per layer
 * x + attention(norm(x)), then x + down(silu(gate) * up) of norm(x).
 *
 * @returns float32 [B, T, D]
 * @throws if the inputs are not [B, T, width].
 */
export function decoderStates(pass: DecoderPass): tf.Tensor3D {
  const { config, parameters, inputs } = pass;
  if (inputs.shape[2] !== config.width) {
    throw new Error(`decoderStates: expected inputs [B, T, ${config.width}], got [${inputs.shape}]`);
  }
  return tf.tidy(() => {
    let x = inputs;
    for (let layer = 0; layer < config.layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const attentionInput = norm(pass, x, `${prefix}.input_layernorm`);
      x = tf.add(x, attentionBlock(pass, attentionInput, layer));
      const feedForwardInput = norm(pass, x, `${prefix}.post_attention_layernorm`);
      const gate = linear(parameters, feedForwardInput, `${prefix}.mlp.gate_proj`);
      const up = linear(parameters, feedForwardInput, `${prefix}.mlp.up_proj`);
      x = tf.add(x, linear(parameters, swiglu(gate, up), `${prefix}.mlp.down_proj`));
    }
    return norm(pass, x, 'model.norm');
  });
}

function attentionBlock(pass: DecoderPass, x: tf.Tensor3D, layer: number): tf.Tensor3D {
  const { config, parameters, positions, mask, cache } = pass;
  const [batch, length] = x.shape;
  const prefix = `model.layers.${layer}.self_attn`;
  const project = (name: string, heads: number) =>
    tf.reshape(linear(parameters, x, `${prefix}.${name}`), [
      batch,
      length,
      heads,
      config.headWidth,
    ]) as tf.Tensor4D;
  const query = rotary(project('q_proj', config.heads), positions.rotary); // [B, T, H, d]
  let key = rotary(project('k_proj', config.keyValueHeads), positions.rotary); // [B, T, G, d]
  let value = project('v_proj', config.keyValueHeads);
  if (cache) ({ key, value } = cache[layer]!.append(key, value)); // [B, S, G, d]
  const mixed = attention(query, key, value, mask);
  return linear(
    parameters,
    tf.reshape(mixed, [batch, length, config.heads * config.headWidth]),
    `${prefix}.o_proj`,
  );
}

function norm({ config, parameters }: DecoderPass, x: tf.Tensor3D, name: string): tf.Tensor3D {
  return rmsNorm(x, parameter<tf.Tensor1D>(parameters, `${name}.weight`), config.normEpsilon);
}

/**
 * x W^T (+ b) for a weight [out, in], as matrix products over all rows; with an adapter of rank r on the map,
 * + scale (x A^T) B^T (Hu et al. 2021, arXiv 2106.09685, eq. 3).
 */
function linear(parameters: Parameters, x: tf.Tensor3D, name: string): tf.Tensor3D {
  const weight = parameter<tf.Tensor2D>(parameters, `${name}.weight`);
  const [batch, length, width] = x.shape;
  const rows: tf.Tensor2D = tf.reshape(x, [batch * length, width]);
  let flat = tf.matMul(rows, weight, false, true);
  const bias = parameters.get(`${name}.bias`);
  if (bias) flat = tf.add(flat, bias);
  if (parameters.has(`${name}.lora_A.weight`)) {
    const lowered = tf.matMul(rows, parameter<tf.Tensor2D>(parameters, `${name}.lora_A.weight`), false, true);
    const scaled = tf.mul<tf.Tensor2D>(lowered, parameter(parameters, 'lora_scale'));
    const raise = parameter<tf.Tensor2D>(parameters, `${name}.lora_B.weight`);
    flat = tf.add(flat, tf.matMul(scaled, raise, false, true));
  }
  return tf.reshape(flat, [batch, length, weight.shape[0]]);
}
