import { initialWeights, type ModelConfig, type NamedArray } from '../src/index.js';

/** Grouped heads, a head width that is not width / heads, and a table of its own for the output. */
export const tinyConfig: ModelConfig = {
  architecture: 'llama',
  vocabularySize: 11,
  width: 8,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headWidth: 4,
  feedForwardWidth: 6,
  ropeBase: 100,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  maxPositions: 64,
};

/** A tiny model of each architecture, with every part that it may have. */
export const tinyConfigs: readonly ModelConfig[] = [
  tinyConfig,
  { ...tinyConfig, tiedEmbeddings: true, attentionBias: true, feedForwardBias: true },
  { ...tinyConfig, architecture: 'qwen2' },
  { ...tinyConfig, architecture: 'qwen3', tiedEmbeddings: true },
  {
    ...tinyConfig,
    architecture: 'gpt2',
    keyValueHeads: 4,
    headWidth: 2,
    ropeBase: null,
    tiedEmbeddings: true,
    maxPositions: 8,
  },
];

/** Weights large enough that every part of the model matters to its output. */
export function tinyWeights(config: ModelConfig = tinyConfig, seed = 1): Map<string, NamedArray> {
  const weights = initialWeights(config, seed, { deviation: 0.5 });
  for (const [name, { shape, data }] of weights) {
    const start = name.endsWith('norm.weight') ? 1 : 0;
    if (start === 1 || name.endsWith('.bias')) {
      weights.set(name, { shape, data: data.map((_, i) => start + ((i * 7) % 5) / 10) });
    }
  }
  return weights;
}
