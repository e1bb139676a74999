import { z } from 'zod';

/** The sizes and constants of a llama-family decoder: RMSNorm, RoPE, grouped-query attention, SwiGLU. */
export interface ModelConfig {
  readonly architecture: 'llama';
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly feedForwardWidth: number;
  readonly ropeBase: number;
  readonly normEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly maxPositions: number;
}

// Far above any model; keeps a damaged header from asking for a list of 2^31 layers.
const MAX_LAYERS = 4096;

const count = z.int().min(1);
const positive = z.number().positive();

// Every field that would change the forward pass is either read or must hold the value that we compute
// with; the rest (token ids, dropout, versions) passes unread. Defaults are those of Hugging Face's LlamaConfig.
const huggingFaceConfig = z.object({
  model_type: z.literal('llama'),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  rope_theta: positive.optional(),
  rope_parameters: z.object({ rope_theta: positive, rope_type: z.literal('default').optional() }).nullish(),
  rope_scaling: z.null().optional(),
  rms_norm_eps: positive.default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: count.default(2048),
  hidden_act: z.literal('silu').default('silu'),
  attention_bias: z.literal(false).default(false),
  mlp_bias: z.literal(false).default(false),
});

/**
 * Reads the content of a Hugging Face `config.json` of model type llama.
 * @param source The parsed JSON.
 * @param origin Where it came from, for messages.
 * @throws If a field is missing, of a wrong type, or asks for what is not computed here (biases, scaled RoPE).
 * @throws If the head counts do not divide or the head width is odd.
 */
export function parseModelConfig(source: unknown, origin: string): ModelConfig {
  const result = huggingFaceConfig.safeParse(source);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const field = issue.path.length > 0 ? `field ${issue.path.join('.')}` : 'an object';
    const found = describeField(source, issue.path);
    throw new Error(
      `parseModelConfig: expected a llama config in ${origin}, got ${field} = ${found} (${issue.message})`,
    );
  }
  const fields = result.data;
  const config: ModelConfig = {
    architecture: 'llama',
    vocabularySize: fields.vocab_size,
    width: fields.hidden_size,
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    keyValueHeads: fields.num_key_value_heads ?? fields.num_attention_heads,
    headWidth: fields.head_dim ?? fields.hidden_size / fields.num_attention_heads,
    feedForwardWidth: fields.intermediate_size,
    ropeBase: fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? 10000,
    normEpsilon: fields.rms_norm_eps,
    tiedEmbeddings: fields.tie_word_embeddings,
    maxPositions: fields.max_position_embeddings,
  };
  checkModelConfig(config, origin);
  return config;
}

/**
 * Checks that the sizes of a config fit together.
 * @throws If a size is not a whole number of at least 1.
 * @throws If there are more than 4096 layers.
 * @throws If the query heads are not a multiple of the key-value heads.
 * @throws If the head width is odd (RoPE rotates pairs).
 */
export function checkModelConfig(config: ModelConfig, origin: string): void {
  const { vocabularySize, width, layers, heads, keyValueHeads, headWidth, feedForwardWidth, maxPositions } =
    config;
  const sizes = {
    vocabularySize,
    width,
    layers,
    heads,
    keyValueHeads,
    headWidth,
    feedForwardWidth,
    maxPositions,
  };
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new Error(
        `checkModelConfig: expected ${name} of ${origin} to be a whole number >= 1, got ${size}`,
      );
    }
  }
  if (layers > MAX_LAYERS) {
    throw new Error(`checkModelConfig: expected at most ${MAX_LAYERS} layers in ${origin}, got ${layers}`);
  }
  if (heads % keyValueHeads !== 0) {
    throw new Error(
      `checkModelConfig: expected heads of ${origin} to be a multiple of keyValueHeads, got ${heads} and ${keyValueHeads}`,
    );
  }
  if (headWidth % 2 !== 0) {
    throw new Error(`checkModelConfig: expected headWidth of ${origin} to be even, got ${headWidth}`);
  }
}

/** The same config in the form of Hugging Face's `config.json`, which its LlamaForCausalLM reads. */
export function huggingFaceModelConfig(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    bos_token_id: null,
    eos_token_id: null,
    head_dim: config.headWidth,
    hidden_act: 'silu',
    hidden_size: config.width,
    intermediate_size: config.feedForwardWidth,
    max_position_embeddings: config.maxPositions,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.keyValueHeads,
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeBase,
    tie_word_embeddings: config.tiedEmbeddings,
    torch_dtype: 'float32',
    vocab_size: config.vocabularySize,
  };
}

function describeField(source: unknown, path: readonly PropertyKey[]): string {
  let value = source;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return JSON.stringify(value) ?? 'nothing';
}
