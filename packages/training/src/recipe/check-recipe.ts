import type { Recipe } from './recipe.js';

/**
 * Checks that the settings of a recipe go together.
 *
 * @throws if they contradict each other, naming both.
 */
export function checkRecipe(recipe: Recipe, source: string): void {
  const { model, latent, stages, tuning, tokenizer } = recipe;
  const fail = (sentence: string) => {
    throw new Error(`parseRecipe: ${source}: ${sentence}`);
  };
  if (model.source === 'fresh') checkSizes(model, fail);
  if ((model.source === 'pretrained') !== (tokenizer === 'model')) {
    fail(
      `expected tokenizer model with a pretrained model only, got ${tokenizer} with a ${model.source} one`,
    );
  }
  if (model.source === 'fresh' && tuning.method === 'lora') {
    fail('expected tuning.method full with fresh weights, which adapters could not learn for, got lora');
  }
  if (model.source === 'fresh' && recipe.prompt.template === 'chat') {
    fail('expected prompt.template none with fresh weights, which know no chat template, got chat');
  }
  if ((latent.support === 'full') !== (stages.student.klSupport === 'full')) {
    fail(
      `expected stages.student.klSupport full with latent.support full, and sparse with a number, ` +
        `got ${stages.student.klSupport} with ${latent.support}`,
    );
  }
  for (const phase of ['encoder', 'decoder', 'union'] as const) {
    if (stages[phase].supervision === 'strict-suffix' && recipe.masks.decoder === 'causal') {
      fail(
        `expected masks.decoder ltsum with stages.${phase}.supervision strict-suffix, whose copies of the tail a ` +
          'causal mask shows to each other, got causal',
      );
    }
  }
  const stageOneSteps = stages.encoder.steps + stages.decoder.steps + stages.union.steps;
  if (stageOneSteps > 0 && stages.cot.steps === 0 && model.source === 'fresh') {
    fail('expected stages.cot.steps above 0, since encoder and decoder start from the CoT model, got 0');
  }
  if (stages.student.steps > 0 && stageOneSteps === 0) {
    fail('expected steps in stages.encoder, decoder or union before stages.student, got 0 in all three');
  }
}

type FreshModel = Extract<Recipe['model'], { source: 'fresh' }>;

function checkSizes(model: FreshModel, fail: (sentence: string) => void): void {
  if (model.width % model.heads !== 0) {
    fail(`expected model.width to be a multiple of model.heads, got ${model.width} and ${model.heads}`);
  }
  if (model.heads % (model.keyValueHeads ?? model.heads) !== 0) {
    fail(
      `expected model.heads to be a multiple of model.keyValueHeads, got ${model.heads} and ${model.keyValueHeads}`,
    );
  }
  if ((model.width / model.heads) % 2 !== 0) {
    fail(`expected an even head width for rotary positions, got ${model.width / model.heads}`);
  }
}
