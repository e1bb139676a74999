import type { ReasoningRecord, Tokenizer } from '@latent-sft/data';
import type { ModelConfig } from '@latent-sft/model';
import type { ExampleTokens } from '@latent-sft/segmentation';
import type { MixtureSettings } from '@latent-sft/soft-embedding';
import type { Recipe } from '../recipe/recipe.js';
import type { TrainingStage } from '../recipe/stage-settings.js';
import type { FrozenBase } from './frozen-base.js';

/** What every stage of a run shares. */
export interface StageContext {
  readonly recipe: Recipe;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** What adapters stand beside; null where all weights move. */
  readonly base: FrozenBase | null;
  readonly train: readonly ExampleTokens[];
  readonly validation: readonly ExampleTokens[];
  readonly validationRecords: readonly ReasoningRecord[];
}

/** The loop's settings of a stage, from the recipe. */
export function loopSettings(recipe: Recipe, stage: TrainingStage) {
  const { steps, learningRate, validateEvery, checkpointEvery, selectBy } = recipe.stages[stage];
  const { warmup, final, shape, ...optimiser } = recipe.optimiser;
  return {
    name: stage,
    steps,
    learningRate: { peak: learningRate, warmup, final, shape },
    optimiser,
    validateEvery,
    checkpointEvery,
    selectBy,
  };
}

/** The sizes of a model that a recipe describes, over a tokenizer's vocabulary. */
export function freshModelConfig(
  model: Extract<Recipe['model'], { source: 'fresh' }>,
  vocabularySize: number,
): ModelConfig {
  const { width, layers, heads, keyValueHeads, feedForwardWidth, ropeBase, normEpsilon, tiedEmbeddings } =
    model;
  return {
    architecture: 'llama',
    vocabularySize,
    width,
    layers,
    heads,
    keyValueHeads: keyValueHeads ?? heads,
    headWidth: width / heads,
    feedForwardWidth,
    ropeBase,
    normEpsilon,
    tiedEmbeddings,
    maxPositions: 4096,
  };
}

/** How many words a latent holds. */
export function mixtureWords({ vocabularySize }: ModelConfig, support: MixtureSettings['support']): number {
  return support === 'full' ? vocabularySize : Math.min(support, vocabularySize);
}

/** The mixtures of a run: their support and temperature, and the tokens that they never hold. */
export function mixtureSettings(recipe: Recipe, tokenizer: Tokenizer): MixtureSettings {
  const { support, temperature, endMarkerInMixtures } = recipe.latent;
  return { support, temperature, excluded: endMarkerInMixtures ? [] : tokenizer.special.end.slice(0, 1) };
}
