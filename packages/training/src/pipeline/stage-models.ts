import { join } from 'node:path';
import {
  loadAdapterFolder,
  loadModelFolder,
  type NamedArray,
  readSafetensors,
  saveAdapterFolder,
  saveModelFolder,
  writeSafetensors,
} from '@latent-sft/model';
import type { Recipe } from '../recipe/recipe.js';
import type { TrainingStage } from '../recipe/stage-settings.js';
import { stageFolder } from '../run/stage.js';
import { joinModels, type StageOneModels, splitModels } from '../stages/stage-one-models.js';
import type { ActiveRun } from './active-run.js';
import { MODELS_FILE } from './stage-files.js';
import { sourceStage } from './stage-inputs.js';
import { startingWeights, withLatentQuery } from './starting-weights.js';

/**
 * What moves of encoder and decoder after a stage: all weights, or adapters. Both are the CoT model before stage 1,
 * and without one what a first stage starts from.
 */
export function loadModels(active: ActiveRun, stage: TrainingStage | null): StageOneModels<NamedArray> {
  const { run, context } = active;
  if (stage !== null && stage !== 'cot') {
    return splitModels(readSafetensors(join(stageFolder(run.folder, stage), MODELS_FILE)));
  }
  const weights =
    stage === null ? startingWeights(active) : loadTuned(context.recipe, stageFolder(run.folder, stage));
  return withLatentQuery(active, { encoder: weights, decoder: weights });
}

/** The weights of a stage that trains one model: all of them, or its adapter. */
export function loadTuned(recipe: Recipe, folder: string): Map<string, NamedArray> {
  return recipe.tuning.method === 'lora'
    ? loadAdapterFolder(folder).adapter
    : loadModelFolder(folder).weights;
}

/** Writes a stage's best weights: a model folder, an adapter folder, or both models of stage 1 in one file. */
export function saveStage(active: ActiveRun, stage: TrainingStage, weights: Map<string, NamedArray>): void {
  const { run, context } = active;
  const { recipe, config } = context;
  const { model, tuning } = recipe;
  const target = stageFolder(run.folder, stage);
  if (stage === 'no-cot' || stage === 'cot' || stage === 'student') {
    if (model.source === 'pretrained' && tuning.method === 'lora') {
      saveAdapterFolder(target, weights, tuning, model.from);
    } else saveModelFolder(target, config, weights);
    return;
  }
  const before = loadModels(active, sourceStage(recipe, stage));
  const after = { ...before, ...withoutEmpty(splitModels(weights)) };
  writeSafetensors(join(target, MODELS_FILE), joinModels(after));
}

function withoutEmpty(models: StageOneModels<NamedArray>): Partial<StageOneModels<NamedArray>> {
  return Object.fromEntries(Object.entries(models).filter(([, weights]) => weights.size > 0));
}
