import { z } from 'zod';

// Every field that would change the forward pass is either read or must hold the value that we compute
// with; the rest (token ids, dropout, versions) passes unread. Defaults are those of transformers 5.24.

const count = z.int().min(1);
const positive = z.number().positive();
const ropeType = z.enum(['default', 'llama3']);

/** Rotary settings: `rope_parameters`, or `rope_scaling` as files before transformers 5 have it. */
const rope = z
  .object({
    rope_type: ropeType.optional(),
    type: ropeType.optional(),
    rope_theta: positive.optional(),
    partial_rotary_factor: z.literal(1).nullish(),
    factor: z.number().min(1).optional(),
    low_freq_factor: positive.optional(),
    high_freq_factor: positive.optional(),
    original_max_position_embeddings: count.optional(),
  })
  // settings of their own for each kind of layer would be objects
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .superRefine((fields, context) => {
    const type = fields.rope_type ?? fields.type;
    const needed = type === 'llama3' ? (['factor', 'low_freq_factor', 'high_freq_factor'] as const) : [];
    for (const name of needed) {
      if (fields[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'missing' });
    }
    if (type === undefined && fields.factor !== undefined) {
      context.addIssue({ code: 'custom', message: 'a factor without a rope_type' });
    }
  });

const common = {
  tie_word_embeddings: z.boolean().default(false),
  quantization_config: z.null('expected weights in f32, f16 or bf16').optional(),
};

const rotary = {
  ...common,
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  rope_theta: positive.nullish(),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  original_max_position_embeddings: count.nullish(),
  rms_norm_eps: positive.default(1e-6),
  max_position_embeddings: count.default(2048),
  hidden_act: z.literal('silu').default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
};

const qwen = z.object({
  ...rotary,
  num_key_value_heads: count.nullable().default(32),
  max_position_embeddings: count.default(32768),
  mlp_bias: z.literal(false).default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: count.nullable().default(4096),
  max_window_layers: z.int().min(0).default(28),
  layer_types: z.array(z.literal('full_attention')).nullish(),
});

type WindowFields = Pick<
  z.output<typeof qwen>,
  'use_sliding_window' | 'sliding_window' | 'layer_types' | 'max_window_layers' | 'num_hidden_layers'
>;

const windows = (fields: WindowFields, context: z.core.$RefinementCtx): void => {
  const inUse = fields.use_sliding_window && fields.sliding_window !== null && !fields.layer_types;
  if (inUse && fields.max_window_layers < fields.num_hidden_layers) {
    const message = `a sliding window from layer ${fields.max_window_layers} on`;
    context.addIssue({ code: 'custom', path: ['use_sliding_window'], message });
  }
};

/** The fields of `config.json` by model type. */
export const CONFIG_FIELDS = {
  llama: z.object(rotary),
  qwen2: qwen.extend({ attention_bias: z.literal(false).default(false) }).superRefine(windows),
  qwen3: qwen.extend({ head_dim: count.nullable().default(128) }).superRefine(windows),
  gpt2: z.object({
    ...common,
    tie_word_embeddings: z.boolean().default(true),
    vocab_size: count,
    n_embd: count,
    n_layer: count,
    n_head: count,
    n_positions: count.default(1024),
    n_inner: count.nullish(),
    layer_norm_epsilon: positive.default(1e-5),
    // one function under two names
    activation_function: z.enum(['gelu_new', 'gelu_pytorch_tanh']).default('gelu_new'),
    scale_attn_weights: z.literal(true).default(true),
    scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
  }),
};

export type RotaryFields = z.output<(typeof CONFIG_FIELDS)['llama' | 'qwen2' | 'qwen3']>;
export type Gpt2Fields = z.output<(typeof CONFIG_FIELDS)['gpt2']>;
