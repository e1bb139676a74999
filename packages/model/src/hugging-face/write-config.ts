import type { Architecture } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import type { StoredType } from '../weights/safetensors.js';

/** Ids that transformers' generation looks for in `config.json`; null where a model has none. */
export interface SpecialTokenIds {
  readonly bos?: number | null;
  readonly eos?: number | readonly number[] | null;
  readonly pad?: number | null;
}

const CLASSES: Readonly<Record<Architecture, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gpt2: 'GPT2LMHeadModel',
};

const TORCH_TYPES: Readonly<Record<StoredType, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** The same config in the form of Hugging Face's `config.json`, which transformers reads (4.51 and 5.24 do). */
export function huggingFaceModelConfig(
  config: ModelConfig,
  tokens: SpecialTokenIds = {},
  type: StoredType = 'F32',
): Record<string, unknown> {
  const { bos = null, eos = null, pad = null } = tokens;
  return {
    architectures: [CLASSES[config.architecture]],
    model_type: config.architecture,
    bos_token_id: bos,
    eos_token_id: eos,
    pad_token_id: pad,
    tie_word_embeddings: config.tiedEmbeddings,
    torch_dtype: TORCH_TYPES[type],
    vocab_size: config.vocabularySize,
    ...(config.architecture === 'gpt2' ? gpt2Fields(config) : rotaryFields(config)),
  };
}

function rotaryFields(config: ModelConfig): Record<string, unknown> {
  const { architecture, ropeStretch } = config;
  return {
    head_dim: config.headWidth,
    hidden_act: 'silu',
    hidden_size: config.width,
    intermediate_size: config.feedForwardWidth,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.keyValueHeads,
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeBase,
    rope_scaling: ropeStretch
      ? {
          rope_type: 'llama3',
          factor: ropeStretch.factor,
          low_freq_factor: ropeStretch.lowFrequencyFactor,
          high_freq_factor: ropeStretch.highFrequencyFactor,
          original_max_position_embeddings: ropeStretch.trainedPositions,
        }
      : null,
    ...(architecture === 'llama' && { mlp_bias: config.feedForwardBias ?? false }),
    ...(architecture === 'qwen2'
      ? { use_sliding_window: false }
      : { attention_bias: config.attentionBias ?? false }),
    ...(architecture === 'qwen3' && { use_sliding_window: false }),
  };
}

function gpt2Fields(config: ModelConfig): Record<string, unknown> {
  return {
    activation_function: 'gelu_new',
    layer_norm_epsilon: config.normEpsilon,
    n_embd: config.width,
    n_head: config.heads,
    n_inner: config.feedForwardWidth,
    n_layer: config.layers,
    n_positions: config.maxPositions,
  };
}
