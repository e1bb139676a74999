import type { Tokenizer } from '@latent-sft/data';
import type { ModelConfig, Parameters, ReasoningMode } from '@latent-sft/model';
import type { Recipe } from '../recipe/recipe.js';
import { mixtureSettings } from '../stages/stage-context.js';
import type { Answerer } from './answer-questions.js';

/** The three ways to answer that a run trains, as they are called on the command line. */
export type AnswerStage = 'no-cot' | 'cot' | 'latent';

const MODES: Readonly<Record<AnswerStage, ReasoningMode>> = {
  'no-cot': 'direct',
  cot: 'chain',
  latent: 'latent',
};

/** Weights of a stage with the settings of its recipe, ready to answer. */
export function answererOf(
  context: { readonly recipe: Recipe; readonly config: ModelConfig; readonly tokenizer: Tokenizer },
  parameters: Parameters,
  stage: AnswerStage,
): Answerer {
  const { recipe, config, tokenizer } = context;
  const { maxLatents } = recipe.latent;
  const { maxTokens, batch, grading } = recipe.evaluation;
  const mixture = mixtureSettings(recipe, tokenizer);
  return {
    config,
    parameters,
    tokenizer,
    prompt: recipe.prompt,
    mode: MODES[stage],
    mixture,
    maxLatents,
    maxTokens,
    batch,
    grading,
  };
}
