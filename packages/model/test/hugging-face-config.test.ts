import { describe, expect, it } from 'vitest';
import {
  checkModelConfig,
  huggingFaceModelConfig,
  type ModelConfig,
  parseModelConfig,
} from '../src/index.js';
import { tinyConfig, tinyConfigs } from './tiny-model.js';

const llama3 = {
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};
const stretch = { factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedPositions: 8192 };
const written = (config: Partial<ModelConfig>) =>
  huggingFaceModelConfig({ ...tinyConfig, ...config } as ModelConfig);

describe('config.json of each architecture', () => {
  it.each(tinyConfigs)('is read as it was written ($architecture)', (config) => {
    expect(parseModelConfig(huggingFaceModelConfig(config), 'here')).toEqual(config);
  });

  it('is read as it was written, stretched', () => {
    const config: ModelConfig = { ...tinyConfig, ropeStretch: stretch };
    expect(parseModelConfig(huggingFaceModelConfig(config), 'here')).toEqual(config);
  });

  it('holds the tokens that generation looks for', () => {
    expect(huggingFaceModelConfig(tinyConfig, { bos: 1, eos: [2, 3] })).toMatchObject({
      bos_token_id: 1,
      eos_token_id: [2, 3],
      pad_token_id: null,
    });
  });

  it.each([
    ['rope_scaling with type', { rope_theta: 5e5, rope_scaling: { type: 'llama3', ...llama3 } }],
    ['rope_scaling with rope_type', { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...llama3 } }],
    ['rope_parameters', { rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 } }],
  ])("reads Llama 3's rotary settings as %s", (_, rope) => {
    const { rope_theta, rope_scaling, ...rest } = written({});
    const config = parseModelConfig({ ...rest, ...rope }, 'here');
    expect(config.ropeBase).toBe(5e5);
    expect(config.ropeStretch).toEqual(stretch);
  });

  it("fills in Qwen3Config's and GPT2Config's defaults", () => {
    const sizes = { vocab_size: 9, hidden_size: 64, num_hidden_layers: 2, intermediate_size: 6 };
    const qwen = { model_type: 'qwen3', ...sizes, num_attention_heads: 32 };
    expect(parseModelConfig(qwen, 'here')).toEqual({
      architecture: 'qwen3',
      vocabularySize: 9,
      width: 64,
      layers: 2,
      heads: 32,
      keyValueHeads: 32,
      headWidth: 128,
      feedForwardWidth: 6,
      ropeBase: 10000,
      normEpsilon: 1e-6,
      tiedEmbeddings: false,
      maxPositions: 32768,
    });
    const gpt2 = { model_type: 'gpt2', vocab_size: 9, n_embd: 8, n_layer: 2, n_head: 2 };
    expect(parseModelConfig(gpt2, 'here')).toEqual({
      architecture: 'gpt2',
      vocabularySize: 9,
      width: 8,
      layers: 2,
      heads: 2,
      keyValueHeads: 2,
      headWidth: 4,
      feedForwardWidth: 32,
      ropeBase: null,
      normEpsilon: 1e-5,
      tiedEmbeddings: true,
      maxPositions: 1024,
    });
  });

  it('keeps its messages short', () => {
    const blob = { model_type: 'llama', vocab_size: 'x'.repeat(1e6) };
    expect(() => parseModelConfig(blob, 'here')).toThrow(/^.{1,300}$/);
    expect(() => parseModelConfig({ model_type: blob.vocab_size }, 'here')).toThrow(/^.{1,300}$/);
  });

  it('takes sliding windows that no layer uses', () => {
    const fields = { ...written({ architecture: 'qwen2' }), use_sliding_window: true };
    for (const unused of [
      { use_sliding_window: false, max_window_layers: 0 },
      { sliding_window: null, max_window_layers: 0 },
      { max_window_layers: 2 },
      { max_window_layers: 0, layer_types: ['full_attention', 'full_attention'] },
    ]) {
      expect(parseModelConfig({ ...fields, ...unused }, 'here').architecture).toBe('qwen2');
    }
  });

  const gpt2 = tinyConfigs.at(-1)!;
  it.each([
    ['qwen2', { use_sliding_window: true, max_window_layers: 1 }, '(a sliding window from layer 1 on)'],
    ['qwen3', { layer_types: ['sliding_attention'] }, 'field layer_types.0 = "sliding_attention"'],
    ['qwen2', { attention_bias: true }, 'field attention_bias = true'],
    ['qwen3', { mlp_bias: true }, 'field mlp_bias = true'],
    ['qwen3', { hidden_act: 'gelu' }, 'expected a qwen3 config in here, got field hidden_act = "gelu"'],
    ['qwen2', { rope_scaling: { type: 'yarn', factor: 4 } }, 'field rope_scaling.type = "yarn"'],
    ['gpt2', { activation_function: 'relu' }, 'field activation_function = "relu"'],
    ['gpt2', { scale_attn_weights: false }, 'field scale_attn_weights = false'],
    ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'field scale_attn_by_inverse_layer_idx = true'],
    ['gpt2', { add_cross_attention: true }, 'field add_cross_attention = true'],
    ['gpt2', { n_head: 3 }, 'headWidth of here to be a whole number >= 1, got 2.66'],
    ['gpt2', { n_embd: undefined }, 'field n_embd = nothing'],
  ] as const)('%s refuses %j', (architecture, change, message) => {
    const fields = written(architecture === 'gpt2' ? gpt2 : { architecture });
    expect(() => parseModelConfig({ ...fields, ...change }, 'here')).toThrow(message);
  });
});

describe('checkModelConfig', () => {
  it.each([
    [{ architecture: 'bert' as 'llama' }, 'to be one of llama, qwen2, qwen3, gpt2, got bert'],
    [{ ropeBase: null }, 'expected ropeBase of here to be above 0, got null'],
    [{ ropeBase: 0 }, 'expected ropeBase of here to be above 0, got 0'],
    [{ ropeStretch: { ...stretch, highFrequencyFactor: 1 } }, 'lowFrequencyFactor < highFrequencyFactor'],
    [{ architecture: 'qwen2' as const, attentionBias: true }, 'for llama or qwen3 only, got qwen2'],
    [{ architecture: 'qwen3' as const, feedForwardBias: true }, 'for llama only, got qwen3'],
    [{ architecture: 'gpt2' as const, ropeBase: null }, '4 heads of here to share out its width of 8'],
  ])('refuses %j', (change, message) => {
    expect(() => checkModelConfig({ ...tinyConfig, ...change }, 'here')).toThrow(message);
  });
});
