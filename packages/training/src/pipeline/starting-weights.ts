import { initialLora, initialWeights, type NamedArray } from '@latent-sft/model';
import type { StageOneModels } from '../stages/stage-one-models.js';
import type { ActiveRun } from './active-run.js';

/** What the first stage of a model moves: fresh weights, pretrained ones, or fresh adapters. */
export function startingWeights({ context, pretrained }: ActiveRun): ReadonlyMap<string, NamedArray> {
  const { recipe, config } = context;
  const { model, tuning, seed } = recipe;
  if (model.source === 'fresh') {
    const { initialDeviation: deviation, embeddingDeviation, scaledResiduals } = model;
    return initialWeights(config, seed, { deviation, embeddingDeviation, scaledResiduals });
  }
  return tuning.method === 'lora' ? initialLora(config, tuning, seed, 'lora') : pretrained!.weights!;
}

/**
 * The models with the vector that a pretrained encoder reads in latent slots, which its table has no row for; it
 * starts as the end of text, whose state sums up what was read.
 */
export function withLatentQuery(
  { context, pretrained }: ActiveRun,
  models: StageOneModels<NamedArray>,
): StageOneModels<NamedArray> {
  if (!pretrained || models.encoder.has('latent_query.weight')) return models;
  const data = pretrained.embeddingOf(context.tokenizer.special.eos);
  const query = { shape: [1, data.length], data };
  return { ...models, encoder: new Map([...models.encoder, ['latent_query.weight', query] as const]) };
}
