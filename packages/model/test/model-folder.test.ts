import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  halfSplitRows,
  huggingFaceModelConfig,
  loadModelFolder,
  type ModelConfig,
  type NamedArray,
  parseModelConfig,
  readLlama2c,
  saveModelFolder,
  tensorShapes,
  writeSafetensors,
} from '../src/index.js';

const config: ModelConfig = {
  architecture: 'llama',
  vocabularySize: 7,
  width: 8,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headWidth: 4,
  feedForwardWidth: 5,
  ropeBase: 100000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  maxPositions: 16,
};

function countingWeights(of: ModelConfig): Map<string, NamedArray> {
  let next = 0;
  return new Map(
    [...tensorShapes(of)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, length) => product * length, 1)).map(() => next++);
      return [name, { shape, data }];
    }),
  );
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-folder-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('model folder', () => {
  const configFile = () => join(folder, 'config.json');
  const weightsFile = () => join(folder, 'model.safetensors');
  beforeEach(() => saveModelFolder(folder, config, countingWeights(config)));

  it('says in the config how the weights are stored', () => {
    saveModelFolder(folder, config, countingWeights(config), {}, 'BF16');
    expect(JSON.parse(readFileSync(configFile(), 'utf8'))).toMatchObject({ torch_dtype: 'bfloat16' });
    expect(loadModelFolder(folder).config).toEqual(config);
  });

  it.each([true, false])('loads what it saved (tied embeddings: %s)', (tiedEmbeddings) => {
    const saved = { ...config, tiedEmbeddings };
    saveModelFolder(folder, saved, countingWeights(saved));
    const loaded = loadModelFolder(folder);
    expect(loaded.config).toEqual(saved);
    expect(loaded.weights).toEqual(countingWeights(saved));
    expect(loaded.weights.has('lm_head.weight')).toBe(!tiedEmbeddings);
  });

  it('names a missing folder, a missing config and broken JSON', () => {
    expect(() => loadModelFolder(join(folder, 'none'))).toThrow('got nothing at ');
    writeFileSync(configFile(), '{');
    expect(() => loadModelFolder(folder)).toThrow(`loadModelFolder: expected JSON in ${configFile()}, got `);
    rmSync(configFile());
    expect(() => loadModelFolder(folder)).toThrow(`expected JSON in ${configFile()}, got ENOENT`);
    saveModelFolder(folder, config, countingWeights(config));
    rmSync(weightsFile());
    expect(() => loadModelFolder(folder)).toThrow(`expected the file ${weightsFile()}, got ENOENT`);
  });

  it('names a tensor that is missing, misshapen or unknown', () => {
    const weights = countingWeights(config);
    weights.delete('model.norm.weight');
    writeSafetensors(weightsFile(), weights);
    expect(() => loadModelFolder(folder)).toThrow('tensor "model.norm.weight" [8] in');
    weights.set('model.norm.weight', { shape: [2, 4], data: new Float32Array(8) });
    expect(() => saveModelFolder(folder, config, weights)).toThrow('"model.norm.weight" [8] in');
    weights.set('model.norm.weight', { shape: [8], data: new Float32Array(8) });
    weights.set('model.layers.0.self_attn.q_proj.bias', { shape: [8], data: new Float32Array(8) });
    writeSafetensors(weightsFile(), weights);
    expect(() => loadModelFolder(folder)).toThrow('got also "model.layers.0.self_attn.q_proj.bias"');
  });

  it('drops copies of what is computed', () => {
    const weights = countingWeights(config);
    weights.set('lm_head.weight', { shape: [7, 8], data: new Float32Array(56) });
    weights.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [2], data: new Float32Array(2) });
    writeSafetensors(weightsFile(), weights);
    expect(loadModelFolder(folder).weights).toEqual(countingWeights(config));
  });
});

describe('config.json', () => {
  const written = huggingFaceModelConfig(config);

  it("fills in LlamaConfig's defaults", () => {
    const { num_key_value_heads, head_dim, rope_theta, rms_norm_eps, ...rest } = written;
    const { tie_word_embeddings, max_position_embeddings, ...required } = rest;
    expect(parseModelConfig({ ...required, hidden_size: 16 }, 'here')).toEqual({
      ...config,
      width: 16,
      keyValueHeads: 4,
      ropeBase: 10000,
      normEpsilon: 1e-6,
      tiedEmbeddings: false,
      maxPositions: 2048,
    });
  });

  it.each([
    [{ model_type: 'mistral' }, 'one of llama, qwen2, qwen3, gpt2, got "mistral"'],
    [{ model_type: undefined }, 'one of llama, qwen2, qwen3, gpt2, got nothing'],
    [{ model_type: 'toString' }, 'got "toString"'],
    [{ vocab_size: '7' }, 'field vocab_size = "7"'],
    [{ hidden_size: undefined }, 'field hidden_size = nothing'],
    [{ num_hidden_layers: 0 }, 'field num_hidden_layers = 0'],
    [{ attention_bias: 'yes' }, 'field attention_bias = "yes"'],
    [{ rope_scaling: { factor: 32 } }, 'field rope_scaling = {"factor":32}'],
    [{ rope_scaling: { type: 'linear', factor: 2 } }, 'field rope_scaling.type = "linear"'],
    [{ rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'field rope_scaling.low_freq_factor = nothing'],
    [{ rope_scaling: { rope_type: 'llama3', factor: 0.5 } }, 'field rope_scaling.factor = 0.5'],
    [
      { rope_parameters: { full_attention: { rope_theta: 1e4 } } },
      'field rope_parameters.full_attention = {',
    ],
    [{ partial_rotary_factor: 0.5 }, 'field partial_rotary_factor = 0.5'],
    [{ rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.5 } }, 'partial_rotary_factor = 0.5'],
    [{ quantization_config: { bits: 4 } }, 'field quantization_config = {"bits":4} (expected weights in f32'],
    [{ rope_parameters: { rope_theta: 1e4, rope_type: 'yarn' } }, 'field rope_parameters.rope_type = "yarn"'],
    [{ hidden_act: 'gelu' }, 'field hidden_act = "gelu"'],
    [{ num_key_value_heads: 3 }, 'heads of here to be a multiple of keyValueHeads, got 4 and 3'],
    [{ head_dim: 3 }, 'headWidth of here to be even, got 3'],
    [{ hidden_size: 9, head_dim: null }, 'headWidth of here to be a whole number >= 1, got 2.25'],
    [{ num_hidden_layers: 2 ** 40 }, 'at most 4096 layers in here'],
  ])('refuses %j', (change, message) => {
    expect(() => parseModelConfig({ ...written, ...change }, 'here')).toThrow(message);
  });

  it('refuses what is no object', () => {
    expect(() => parseModelConfig(null, 'here')).toThrow('expected an object in here, got null');
    expect(() => parseModelConfig([], 'here')).toThrow('expected an object in here, got []');
  });
});

const stories = fileURLToPath(
  new URL('../../../../shared/models/stories260K/stories260K.bin', import.meta.url),
);
const withoutStories = !existsSync(stories);
if (withoutStories) console.warn(`stories260K is not at ${stories}: its tests are skipped`);

describe.skipIf(withoutStories)('llama2.c', () => {
  it('reads the sizes and tensors of stories260K', () => {
    const { config: read, weights } = loadModelFolder(stories);
    expect(read).toEqual({
      architecture: 'llama',
      vocabularySize: 512,
      width: 64,
      layers: 5,
      heads: 8,
      keyValueHeads: 4,
      headWidth: 8,
      feedForwardWidth: 172,
      ropeBase: 10000,
      normEpsilon: 1e-5,
      tiedEmbeddings: true,
      maxPositions: 512,
    });
    expect(new Map([...weights].map(([name, { shape }]) => [name, shape]))).toEqual(tensorShapes(read));
    const file = readFileSync(stories);
    const embedding = weights.get('model.embed_tokens.weight')!.data;
    expect(embedding[0]).toBe(file.readFloatLE(28));
    // The last norm ends where the two RoPE tables, [512, 4] each, begin.
    expect(weights.get('model.norm.weight')!.data[63]).toBe(
      file.readFloatLE(file.length - 4 * 2 * 512 * 4 - 4),
    );
  });

  it('survives a save and a load as safetensors', () => {
    const { config: read, weights } = readLlama2c(stories);
    saveModelFolder(folder, read, weights);
    expect(loadModelFolder(folder)).toEqual({ config: read, weights });
  });

  it('names a cut file, another version, and sizes that do not fit', () => {
    const file = join(folder, 'cut.bin');
    const whole = readFileSync(stories);
    for (const [length, message] of [
      [0, 'expected a header of 28 bytes'],
      [27, 'got 27 bytes'],
      [28, `expected ${whole.length} bytes in ${file} by its header, got 28`],
      [whole.length - 1, `got ${whole.length - 1}`],
    ] as const) {
      writeFileSync(file, whole.subarray(0, length));
      expect(() => readLlama2c(file)).toThrow(message);
    }
    const patched = (field: number, value: number): void => {
      const copy = Buffer.from(whole);
      copy.writeInt32LE(value, 4 * field);
      writeFileSync(file, copy);
    };
    patched(0, 0x616b3432);
    expect(() => readLlama2c(file)).toThrow('expected a legacy float32 export');
    patched(4, 3);
    expect(() => readLlama2c(file)).toThrow('multiple of keyValueHeads, got 8 and 3');
    patched(2, 2 ** 31 - 1);
    expect(() => readLlama2c(file)).toThrow('at most 4096 layers');
    patched(5, -512);
    expect(() => readLlama2c(file)).toThrow(`expected ${whole.length + 4 * 512 * 64} bytes`);
    patched(3, 0);
    expect(() => readLlama2c(file)).toThrow('expected heads of');
    expect(() => readLlama2c(join(folder, 'none'))).toThrow('got ENOENT');
  });
});

describe('halfSplitRows', () => {
  it('moves even rows of each head to its first half', () => {
    const rows = { shape: [8, 1], data: Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13) };
    expect([...halfSplitRows(rows, 4).data]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
  });
});
