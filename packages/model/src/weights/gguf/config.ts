import type { GgufHeader } from '@latent-sft/model-files';
import type { ModelConfig } from '../../config.js';
import { parseModelConfig } from '../../hugging-face/read-config.js';

/**
 * The config of a GGUF model: its metadata put into the form of Hugging Face's `config.json`, and that parsed.
 * @param file For messages.
 * @throws If the architecture or a size is missing, or the model asks for what is not computed here.
 */
export function ggufModelConfig(header: GgufHeader, file: string): ModelConfig {
  const architecture = header.metadata['general.architecture'];
  if (typeof architecture !== 'string') {
    throw new Error(
      `loadModel: expected the name general.architecture in ${file}, got ${JSON.stringify(architecture) ?? 'nothing'}`,
    );
  }
  const fields = architecture === 'gpt2' ? gpt2Fields(header) : llamaFields(header, architecture);
  return parseModelConfig({ model_type: architecture, ...fields }, file);
}

function llamaFields(header: GgufHeader, architecture: string): Record<string, unknown> {
  const value = (key: string): unknown => header.metadata[`${architecture}.${key}`];
  return {
    vocab_size: vocabularySize(header),
    hidden_size: value('embedding_length'),
    num_hidden_layers: value('block_count'),
    num_attention_heads: value('attention.head_count'),
    num_key_value_heads: value('attention.head_count_kv'),
    head_dim: value('attention.key_length'),
    intermediate_size: value('feed_forward_length'),
    rope_theta: shortFloat(value('rope.freq_base') ?? 10000),
    rms_norm_eps: shortFloat(value('attention.layer_norm_rms_epsilon')),
    tie_word_embeddings: !hasTensor(header, 'output.weight'),
    max_position_embeddings: value('context_length'),
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
    n_positions: value('context_length'),
    layer_norm_epsilon: shortFloat(value('attention.layer_norm_epsilon')),
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
