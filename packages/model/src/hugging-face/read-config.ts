import type { RotaryStretch } from '@latent-sft/tensor';
import { ARCHITECTURES, type Architecture, supportedArchitectures } from '../architecture.js';
import { checkModelConfig, type ModelConfig } from '../config.js';
import { describeValue } from '../weights/describe-value.js';
import { CONFIG_FIELDS, type Gpt2Fields, type RotaryFields } from './config-fields.js';

/**
 * Reads the content of a Hugging Face `config.json` of model type llama, qwen2, qwen3 or gpt2.
 * @param source The parsed JSON.
 * @param origin Where it came from, for messages.
 * @throws If the model type is another one.
 * @throws If a field is missing, of a wrong type, or asks for what is not computed here: sliding windows in
 * use, rotary positions of another kind than plain and llama3 or on part of a head, other activations,
 * quantised weights.
 * @throws If the sizes do not fit together (see `checkModelConfig`).
 */
export function parseModelConfig(source: unknown, origin: string): ModelConfig {
  const architecture = architectureOf(source, origin);
  const result = CONFIG_FIELDS[architecture].safeParse(source);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const field = `field ${path.join('.')} = ${describeField(source, path)}`;
    throw new Error(
      `parseModelConfig: expected a ${architecture} config in ${origin}, got ${field} (${message})`,
    );
  }
  const config =
    architecture === 'gpt2'
      ? gpt2Config(result.data as Gpt2Fields)
      : rotaryConfig(architecture, result.data as RotaryFields);
  checkModelConfig(config, origin);
  return config;
}

function architectureOf(source: unknown, origin: string): Architecture {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new Error(`parseModelConfig: expected an object in ${origin}, got ${describeValue(source)}`);
  }
  const type = (source as { model_type?: unknown }).model_type;
  if (typeof type !== 'string' || !Object.hasOwn(ARCHITECTURES, type)) {
    throw new Error(
      `parseModelConfig: expected model_type in ${origin} to be one of ${supportedArchitectures()}, got ${describeValue(type)}`,
    );
  }
  return type as Architecture;
}

function rotaryConfig(architecture: Exclude<Architecture, 'gpt2'>, fields: RotaryFields): ModelConfig {
  const rope = fields.rope_scaling ?? fields.rope_parameters;
  const ropeStretch = stretchOf(fields);
  return {
    architecture,
    vocabularySize: fields.vocab_size,
    width: fields.hidden_size,
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_key_value_heads ?? fields.num_attention_heads,
    headWidth: fields.head_dim ?? fields.hidden_size / fields.num_attention_heads,
    feedForwardWidth: fields.intermediate_size,
    ropeBase: rope?.rope_theta ?? fields.rope_theta ?? 10000,
    ...(ropeStretch && { ropeStretch }),
    normEpsilon: fields.rms_norm_eps,
    tiedEmbeddings: fields.tie_word_embeddings,
    maxPositions: fields.max_position_embeddings,
    ...(fields.attention_bias && { attentionBias: true }),
    ...(fields.mlp_bias && { feedForwardBias: true }),
  };
}

function stretchOf(fields: RotaryFields): RotaryStretch | null {
  const rope = fields.rope_scaling ?? fields.rope_parameters;
  if ((rope?.rope_type ?? rope?.type) !== 'llama3') return null;
  return {
    factor: rope!.factor!,
    lowFrequencyFactor: rope!.low_freq_factor!,
    highFrequencyFactor: rope!.high_freq_factor!,
    trainedPositions:
      fields.original_max_position_embeddings ??
      rope!.original_max_position_embeddings ??
      fields.max_position_embeddings,
  };
}

function gpt2Config(fields: Gpt2Fields): ModelConfig {
  return {
    architecture: 'gpt2',
    vocabularySize: fields.vocab_size,
    width: fields.n_embd,
    layers: fields.n_layer,
    heads: fields.n_head,
    keyValueHeads: fields.n_head,
    headWidth: fields.n_embd / fields.n_head,
    feedForwardWidth: fields.n_inner ?? 4 * fields.n_embd,
    ropeBase: null,
    normEpsilon: fields.layer_norm_epsilon,
    tiedEmbeddings: fields.tie_word_embeddings,
    maxPositions: fields.n_positions,
  };
}

function describeField(source: unknown, path: readonly PropertyKey[]): string {
  let value = source;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return describeValue(value);
}
