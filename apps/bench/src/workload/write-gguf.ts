import { closeSync, openSync, writeSync } from 'node:fs';
import type { ModelConfig, NamedArray } from '@latent-sft/model';

/** Values of a header by their type's number in GGUF. */
type Value =
  | readonly ['uint32', number]
  | readonly ['float32', number]
  | readonly ['string', string]
  | readonly ['strings', readonly string[]]
  | readonly ['int32s', readonly number[]];

const TYPES = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const ALIGNMENT = 32;

const TOP_NAMES: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};
const LAYER_NAMES: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/**
 * Writes a model of llama's architecture as GGUF, float32, for llama.cpp. Words are named `w0`, `w1`, ...: it refuses a
 * model without a tokenizer, and is only asked for ids.
 *
 * @throws if a tensor's name is not one of the architecture, or its positions are not rotary.
 */
export function writeGguf(file: string, config: ModelConfig, weights: ReadonlyMap<string, NamedArray>): void {
  const tensors = [...weights].map(([name, array]) => tensorOf(name, array, config));
  const header = headerOf(config);
  const parts = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(header.length)];
  for (const [key, value] of header) parts.push(text(key), encoded(value));
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    // axes from the innermost; type 0 is float32
    const axes = [...shape].reverse().map(uint64);
    parts.push(text(name), uint32(shape.length), ...axes, uint32(0), uint64(offset));
    offset += aligned(4 * data.length);
  }
  const head = Buffer.concat(parts);
  const output = openSync(file, 'w');
  try {
    writeAll(output, padded(head));
    for (const { data } of tensors) {
      writeAll(output, padded(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
    }
  } finally {
    closeSync(output);
  }
}

function headerOf(config: ModelConfig): (readonly [string, Value])[] {
  const { vocabularySize, ropeBase } = config;
  if (ropeBase === null) throw new Error('writeGguf: expected a model with rotary positions, got none');
  const llama = (name: string, value: Value) => [`llama.${name}`, value] as const;
  const words = Array.from({ length: vocabularySize }, (_, id) => `w${id}`);
  return [
    ['general.architecture', ['string', 'llama']],
    ['general.file_type', ['uint32', 0]],
    llama('block_count', ['uint32', config.layers]),
    llama('context_length', ['uint32', config.maxPositions]),
    llama('embedding_length', ['uint32', config.width]),
    llama('feed_forward_length', ['uint32', config.feedForwardWidth]),
    llama('attention.head_count', ['uint32', config.heads]),
    llama('attention.head_count_kv', ['uint32', config.keyValueHeads]),
    llama('attention.key_length', ['uint32', config.headWidth]),
    llama('attention.value_length', ['uint32', config.headWidth]),
    llama('attention.layer_norm_rms_epsilon', ['float32', config.normEpsilon]),
    llama('rope.dimension_count', ['uint32', config.headWidth]),
    llama('rope.freq_base', ['float32', ropeBase]),
    llama('vocab_size', ['uint32', vocabularySize]),
    ['tokenizer.ggml.model', ['string', 'gpt2']],
    ['tokenizer.ggml.pre', ['string', 'default']],
    ['tokenizer.ggml.tokens', ['strings', words]],
    ['tokenizer.ggml.token_type', ['int32s', words.map(() => 1)]],
    ['tokenizer.ggml.merges', ['strings', ['w 0']]],
    ['tokenizer.ggml.bos_token_id', ['uint32', 0]],
    ['tokenizer.ggml.eos_token_id', ['uint32', 0]],
  ];
}

function tensorOf(name: string, { shape, data }: NamedArray, config: ModelConfig) {
  const layer = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name);
  const part = layer && LAYER_NAMES[layer[2]!];
  const renamed = layer ? part && `blk.${layer[1]}.${part}.weight` : TOP_NAMES[name];
  if (!renamed) throw new Error(`writeGguf: expected a tensor of llama's architecture, got ${name}`);
  const values = Float32Array.from(data);
  const heads = part === 'attn_q' ? config.heads : part === 'attn_k' ? config.keyValueHeads : null;
  return {
    name: renamed,
    shape,
    data: heads === null ? values : interleaved(values, heads, config.headWidth, shape[1]!),
  };
}

/** Rows of each head with its two halves in turns: llama.cpp rotates neighbours where Hugging Face rotates halves. */
function interleaved(
  rows: Float32Array,
  heads: number,
  headWidth: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headWidth; row++) {
      const from = head * headWidth + (row % 2) * (headWidth / 2) + Math.floor(row / 2);
      result.set(rows.subarray(from * width, (from + 1) * width), (head * headWidth + row) * width);
    }
  }
  return result;
}

function encoded(value: Value): Buffer {
  const [kind, content] = value;
  if (kind === 'uint32') return Buffer.concat([uint32(TYPES.uint32), uint32(content)]);
  if (kind === 'string') return Buffer.concat([uint32(TYPES.string), text(content)]);
  if (kind === 'float32') {
    const number = Buffer.alloc(4);
    number.writeFloatLE(content);
    return Buffer.concat([uint32(TYPES.float32), number]);
  }
  const elements = kind === 'strings' ? content.map(text) : content.map(uint32);
  const type = kind === 'strings' ? TYPES.string : TYPES.int32;
  return Buffer.concat([uint32(TYPES.array), uint32(type), uint64(content.length), ...elements]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

const aligned = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], aligned(bytes.length));
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
