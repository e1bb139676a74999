import type { GgufHeader } from '@latent-sft/model-files';
import type { ModelConfig } from '../../config.js';
import { parseModelConfig } from '../../hugging-face/read-config.js';
import { describeValue } from '../describe-value.js';
import { stretchOfFactors } from './rotary-factors.js';

/**
 * The config of a GGUF model: its metadata in the form of Hugging Face's `config.json`, and that parsed.
 * Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @param factors Of the tensor `rope_freqs.weight`, if the file has one: what each rotary frequency is divided by.
 * @param file For messages.
 * @throws If the architecture or a size is missing, or the model asks for what is not computed here.
 */
export function ggufModelConfig(
  header: GgufHeader,
  factors: Float32Array | undefined,
  file: string,
): ModelConfig {
  const architecture = header.metadata['general.architecture'];
  if (typeof architecture !== 'string') {
    throw new Error(
      `loadModel: expected the name general.architecture in ${file}, got ${describeValue(architecture)}`,
    );
  }
  const fields = architecture === 'gpt2' ? gpt2Fields(header) : rotaryFields(header, architecture, file);
  const config = parseModelConfig({ model_type: architecture, ...fields }, file);
  return factors ? { ...config, ropeStretch: stretchOfFactors(factors, config, file) } : config;
}

function rotaryFields(header: GgufHeader, architecture: string, file: string): Record<string, unknown> {
  const value = (key: string): unknown => header.metadata[`${architecture}.${key}`];
  const experts = value('expert_count');
  if (experts !== undefined && experts !== 0) {
    throw new Error(`loadModel: expected a model without experts in ${file}, got ${describeValue(experts)}`);
  }
  const heads = value('attention.head_count');
  const headWidth = value('attention.key_length') ?? Number(value('embedding_length')) / Number(heads);
  const rotated = value('rope.dimension_count') ?? headWidth;
  const scaling = value('rope.scaling.type') ?? 'none';
  return {
    vocab_size: vocabularySize(header),
    hidden_size: value('embedding_length'),
    num_hidden_layers: value('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: value('attention.head_count_kv') ?? null,
    head_dim: value('attention.key_length') ?? null,
    intermediate_size: value('feed_forward_length'),
    rope_theta: shortFloat(value('rope.freq_base') ?? 10000),
    ...(rotated !== headWidth && { partial_rotary_factor: Number(rotated) / Number(headWidth) }),
    ...(scaling !== 'none' && { rope_scaling: { rope_type: scaling, factor: value('rope.scaling.factor') } }),
    rms_norm_eps: shortFloat(value('attention.layer_norm_rms_epsilon') ?? null),
    tie_word_embeddings: !hasTensor(header, 'output.weight'),
    max_position_embeddings: value('context_length') ?? null,
    ...(architecture !== 'qwen2' && { attention_bias: hasTensor(header, 'blk.0.attn_q.bias') }),
    mlp_bias: hasTensor(header, 'blk.0.ffn_up.bias'),
  };
}

function gpt2Fields(header: GgufHeader): Record<string, unknown> {
  const value = (key: string): unknown => header.metadata[`gpt2.${key}`];
  return {
    vocab_size: vocabularySize(header),
    n_embd: value('embedding_length'),
    n_layer: value('block_count'),
    n_head: value('attention.head_count'),
    n_inner: value('feed_forward_length'),
    n_positions: value('context_length') ?? null,
    layer_norm_epsilon: shortFloat(value('attention.layer_norm_epsilon') ?? null),
    tie_word_embeddings: !hasTensor(header, 'output.weight'),
  };
}

function vocabularySize(header: GgufHeader): number | undefined {
  return header.tensors.find(({ name }) => name === 'token_embd.weight')?.shape[0];
}

function hasTensor(header: GgufHeader, name: string): boolean {
  return header.tensors.some((tensor) => tensor.name === name);
}

/** The shortest decimal that is this float32: 1e-5, not the double 0.000009999999747378752. */
function shortFloat(value: unknown): unknown {
  if (typeof value !== 'number' || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
