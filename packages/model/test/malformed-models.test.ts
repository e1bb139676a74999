import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  array,
  ggufBytes,
  pair,
  string,
  TYPES,
  tensor,
  uint32,
  uint64,
} from '../../../tools/testing/gguf-bytes.js';
import { huggingFaceModelConfig, loadModel, saveModelFolder } from '../src/index.js';
import { tinyConfig, tinyWeights } from './tiny-model.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'malformed-models-'));
  await loadModel(fileURLToPath(new URL('fixtures/gguf/llama.gguf', import.meta.url))); // loads the parser
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refuses(path: string, message: string | RegExp): Promise<void> {
  const memoryBytes = process.memoryUsage().rss;
  const start = process.cpuUsage();
  const error = await loadModel(path).then(
    () => undefined,
    (reason: Error) => reason,
  );
  // of the processor, as other work may keep a test waiting
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(2000);
  expect(process.memoryUsage().rss - memoryBytes).toBeLessThan(150e6);
  expect(error).toBeInstanceOf(Error);
  expect(error!.message).toMatch(message);
  expect(error!.message).toMatch(/^\w+: expected .*, got /s);
  expect(error!.message.length).toBeLessThan(600);
}

/** Makes a file longer without giving it room on the disk. */
function stretch(file: string, bytes: number): void {
  const descriptor = openSync(file, 'r+');
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
}

describe('a malformed config.json', () => {
  let model: string;
  const config = () => join(model, 'config.json');
  const good = huggingFaceModelConfig(tinyConfig);
  beforeEach(() => {
    model = join(folder, 'model');
    rmSync(model, { recursive: true, force: true });
    saveModelFolder(model, tinyConfig, tinyWeights());
  });

  it('is read with a byte-order mark and other line endings', async () => {
    writeFileSync(config(), `\uFEFF${JSON.stringify(good, null, 2).replaceAll('\n', '\r\n')}`);
    expect((await loadModel(model)).config).toEqual(tinyConfig);
  });

  it.each([
    ['empty', '', 'expected JSON in FILE, got Unexpected end of JSON input'],
    ['cut', '{"model_type": "lla', 'expected JSON in FILE, got Unterminated string'],
    [
      'not UTF-8',
      Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x7d]),
      'expected JSON in FILE, got bytes that are not UTF-8',
    ],
    ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le'), 'expected JSON in FILE, got bytes that are not UTF-8'],
    ['a list', '[]', 'expected an object in FILE, got []'],
    [
      'a deep list',
      `${'['.repeat(1e6)}${']'.repeat(1e6)}`,
      'expected an object in FILE, got a value nested too deeply',
    ],
    [
      'a long value',
      JSON.stringify({ ...good, hidden_size: 'x'.repeat(9e6) }),
      /got field hidden_size = "x{79}\.\.\./,
    ],
    ['a deep value', `{"model_type":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 'got a value nested too deeply'],
    [
      'numbers that overflow',
      JSON.stringify(good).replace('"hidden_size":8', '"hidden_size":1e999'),
      'field hidden_size',
    ],
    [
      'sizes beyond 2^53',
      JSON.stringify({ ...good, hidden_size: 2 ** 60 }),
      'field hidden_size = 1152921504606847000',
    ],
    ['many layers', JSON.stringify({ ...good, num_hidden_layers: 2 ** 31 }), 'expected at most 4096 layers'],
    [
      'other shapes',
      JSON.stringify({ ...good, vocab_size: 2 ** 40 }),
      'expected tensor "model.embed_tokens.weight" [1099511627776, 8]',
    ],
    [
      'more layers',
      JSON.stringify({ ...good, num_hidden_layers: 4096 }),
      'expected tensor "model.layers.2.input_layernorm.weight"',
    ],
    ['fewer layers', JSON.stringify({ ...good, num_hidden_layers: 1 }), 'got also "model.layers.1.'],
    [
      'an unknown architecture',
      JSON.stringify({ ...good, model_type: 'mamba' }),
      'one of llama, qwen2, qwen3, gpt2, got "mamba"',
    ],
  ])('%s', async (_, content, message) => {
    writeFileSync(config(), content);
    const escaped = typeof message === 'string' ? message.replace('FILE', config()) : message;
    await refuses(model, typeof escaped === 'string' ? literally(escaped) : escaped);
  });

  it('longer than any', async () => {
    stretch(config(), 2 ** 40);
    await refuses(
      model,
      literally(`expected JSON in ${config()}, got 1099511627776 bytes, more than 10000000`),
    );
  });

  it('a folder, or nothing', async () => {
    rmSync(config());
    await refuses(model, literally(`expected JSON in ${config()}, got ENOENT`));
    mkdirSync(config());
    await refuses(model, literally(`expected JSON in ${config()}, got EISDIR`));
    await refuses(join(folder, 'none'), 'expected a model folder or a llama2.c file, got nothing at');
  });
});

describe('a safetensors file with data for more memory than there is', () => {
  it('is refused before it is read', async () => {
    const model = join(folder, 'large');
    saveModelFolder(model, tinyConfig, tinyWeights());
    const file = join(model, 'model.safetensors');
    const values = 2 ** 40;
    const header = JSON.stringify({ a: { dtype: 'F32', shape: [values], data_offsets: [0, 4 * values] } });
    writeFileSync(file, Buffer.concat([uint64(BigInt(header.length)), Buffer.from(header)]));
    stretch(file, 8 + header.length + 4 * values);
    await refuses(
      model,
      literally(`readSafetensors: expected to read tensor "a" [${values}] in ${file}, got `),
    );
    rmSync(file);
  });
});

describe('a malformed GGUF model', () => {
  const file = () => join(folder, 'model.gguf');
  const text = (key: string, value: string) => pair(key, TYPES.string, string(value));
  const count = (key: string, value: number) => pair(key, TYPES.uint32, uint32(value));
  const float = (key: string, value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return pair(key, TYPES.float32, bytes);
  };
  const sizes: Record<string, Buffer> = {
    architecture: text('general.architecture', 'llama'),
    blocks: count('llama.block_count', 1),
    width: count('llama.embedding_length', 8),
    forward: count('llama.feed_forward_length', 4),
    heads: count('llama.attention.head_count', 2),
    context: count('llama.context_length', 16),
    epsilon: float('llama.attention.layer_norm_rms_epsilon', 1e-5),
  };
  const shapes: Record<string, number[]> = {
    'token_embd.weight': [8, 5],
    'output_norm.weight': [8],
    'blk.0.attn_norm.weight': [8],
    'blk.0.attn_q.weight': [8, 8],
    'blk.0.attn_k.weight': [8, 8],
    'blk.0.attn_v.weight': [8, 8],
    'blk.0.attn_output.weight': [8, 8],
    'blk.0.ffn_norm.weight': [8],
    'blk.0.ffn_gate.weight': [8, 4],
    'blk.0.ffn_up.weight': [8, 4],
    'blk.0.ffn_down.weight': [4, 8],
  };
  function put(
    pairs: Record<string, Buffer | undefined>,
    dimensions: Record<string, number[] | undefined> = {},
  ): void {
    const kept = Object.values({ ...sizes, ...pairs }).filter((each) => each !== undefined);
    const tensors: Buffer[] = [];
    let offset = 0;
    for (const [name, shape] of Object.entries({ ...shapes, ...dimensions })) {
      if (!shape) continue;
      tensors.push(tensor(name, shape, 0, offset));
      const bytes = 4 * shape.reduce((product, length) => product * length, 1);
      offset += Math.ceil(bytes / 32) * 32;
    }
    writeFileSync(file(), ggufBytes({ pairs: kept, tensors, dataBytes: offset }));
  }

  it('is read when nothing is wrong with it', async () => {
    put({});
    expect((await loadModel(file())).config).toMatchObject({
      architecture: 'llama',
      width: 8,
      tiedEmbeddings: true,
    });
  });

  it.each<[string, Record<string, Buffer | undefined>, string]>([
    [
      'no architecture',
      { architecture: undefined },
      'expected the name general.architecture in FILE, got nothing',
    ],
    [
      'an architecture that is no name',
      { architecture: count('general.architecture', 3) },
      'expected the name general.architecture in FILE, got 3',
    ],
    [
      'an unknown architecture',
      { architecture: text('general.architecture', 'mamba') },
      'one of llama, qwen2, qwen3, gpt2, got "mamba"',
    ],
    [
      'an architecture of Object',
      { architecture: text('general.architecture', '__proto__') },
      'got "__proto__"',
    ],
    ['no size', { width: undefined }, 'got field hidden_size = nothing'],
    ['no epsilon', { epsilon: undefined }, 'got field rms_norm_eps = null'],
    ['no context', { context: undefined }, 'got field max_position_embeddings = null'],
    ['no heads', { heads: count('llama.attention.head_count', 0) }, 'got field num_attention_heads = 0'],
    [
      'heads for each layer',
      {
        keys: pair(
          'llama.attention.head_count_kv',
          TYPES.array,
          array(TYPES.uint32, 2n, Buffer.concat([uint32(1), uint32(2)])),
        ),
      },
      'got field num_key_value_heads = [1,2]',
    ],
    [
      'a size beyond 2^53',
      { width: pair('llama.embedding_length', TYPES.uint64, uint64(2n ** 63n)) },
      'got field hidden_size = ',
    ],
    ['many layers', { blocks: count('llama.block_count', 2 ** 32 - 1) }, 'expected at most 4096 layers'],
    [
      'experts',
      { experts: count('llama.expert_count', 8) },
      'expected a model without experts in FILE, got 8',
    ],
    [
      'heads rotated in part',
      { rotated: count('llama.rope.dimension_count', 2) },
      'got field partial_rotary_factor = 0.5',
    ],
    [
      'another scaling',
      { scaling: text('llama.rope.scaling.type', 'yarn') },
      'got field rope_scaling.rope_type = "yarn"',
    ],
    [
      'a width that heads do not share',
      { heads: count('llama.attention.head_count', 3) },
      'expected headWidth of FILE to be a whole number',
    ],
  ])('%s', async (_, pairs, message) => {
    put(pairs);
    await refuses(file(), literally(message.replace('FILE', file())));
  });

  it.each<[string, Record<string, number[] | undefined>, string]>([
    [
      'a missing tensor',
      { 'blk.0.attn_q.weight': undefined },
      'expected tensor "model.layers.0.self_attn.q_proj.weight" [8, 8] in FILE, got none of that name',
    ],
    ['no embedding', { 'token_embd.weight': undefined }, 'got field vocab_size = nothing'],
    [
      'a tensor of another shape',
      { 'blk.0.attn_q.weight': [4, 8] },
      '"model.layers.0.self_attn.q_proj.weight" [8, 8] in FILE, got [8, 4]',
    ],
    [
      'a tensor of more dimensions',
      { 'blk.0.attn_q.weight': [8, 4, 2] },
      '"model.layers.0.self_attn.q_proj.weight" [8, 8] in FILE, got [2, 4, 8]',
    ],
    [
      'heads cut off',
      { 'blk.0.attn_k.weight': [8, 7] },
      '"model.layers.0.self_attn.k_proj.weight" [8, 8] in FILE, got [7, 8]',
    ],
    ['an empty tensor', { 'output_norm.weight': [0] }, '"model.norm.weight" [8] in FILE, got [0]'],
    [
      'a tensor of another layer',
      { 'blk.7.attn_norm.weight': [8] },
      'got also "model.layers.7.input_layernorm.weight"',
    ],
    ['an unknown tensor', { 'blk.0.attn_sinks.weight': [8] }, 'got also "blk.0.attn_sinks.weight"'],
    [
      'a fused map',
      { 'blk.0.attn_qkv.weight': [8, 24] },
      'got also "model.layers.0.self_attn.qkv_proj.weight"',
    ],
    [
      'a tensor by two names',
      { 'blk.00.attn_q.weight': [8, 8] },
      'expected one tensor for "model.layers.0.self_attn.q_proj.weight" in FILE, got another, "blk.00.attn_q.weight"',
    ],
    [
      'divisors of another width',
      { 'rope_freqs.weight': [3] },
      'expected rope_freqs.weight in FILE by the rule of Llama 3, got 3 divisors for heads of width 4',
    ],
    [
      'divisors of nothing',
      { 'rope_freqs.weight': [2] },
      'by the rule of Llama 3, got no divisor between 1 and the largest',
    ],
  ])('%s', async (_, dimensions, message) => {
    put({}, dimensions);
    await refuses(file(), literally(message.replace('FILE', file())));
  });

  it('with tensors for more memory than there is', async () => {
    put({ architecture: sizes.architecture }, { 'token_embd.weight': [8, 5] });
    const values = 2 ** 31;
    const header = ggufBytes({
      pairs: Object.values(sizes),
      tensors: [tensor('token_embd.weight', [values, 512], 0, 0)],
    });
    writeFileSync(file(), header);
    stretch(file(), header.length + 4 * values * 512);
    await refuses(
      file(),
      literally(`expected to read tensor "token_embd.weight" [512, ${values}] in ${file()}, got `),
    );
    rmSync(file());
  });

  it('cut at any place', async () => {
    const whole = readFileSync(fileURLToPath(new URL('fixtures/gguf/qwen2.gguf', import.meta.url)));
    for (let length = 0; length < whole.length; length += 997) {
      writeFileSync(file(), whole.subarray(0, length));
      await refuses(file(), /^readGgufHeader: expected /);
    }
  });
});

describe('a malformed llama2.c file', () => {
  const file = () => join(folder, 'model.bin');
  const most = 2 ** 31 - 1;
  it.each([
    [
      'sizes whose product overflows',
      [2 ** 30, most, 4096, 2, 1, most, most],
      /expected [\d.e+]+ bytes in .* by its header, got 28/,
    ],
    ['negative sizes', [-64, -172, 5, 8, 4, 512, 512], 'expected width of'],
    ['no sizes', [0, 0, 0, 0, 0, 0, 0], 'expected vocabularySize of'],
    [
      'text',
      [...new Int32Array(Uint8Array.from(Buffer.from('{"model_type":"llama","x":1}')).buffer)],
      'expected ',
    ],
  ])('%s', async (_, header, message) => {
    writeFileSync(file(), new Uint8Array(Int32Array.from(header).buffer));
    await refuses(file(), message);
  });

  it('as long as a disk', async () => {
    writeFileSync(file(), new Uint8Array(Int32Array.of(64, 172, 5, 8, 4, 512, 512).buffer));
    stretch(file(), 2 ** 42);
    await refuses(file(), /by its header, got 4398046511104/);
    rmSync(file());
  });
});

function literally(message: string): RegExp {
  return new RegExp(message.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
}
