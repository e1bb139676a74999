import { join } from 'node:path';
import {
  loadModelFolder,
  type NamedArray,
  readSafetensors,
  saveModelFolder,
  writeSafetensors,
} from '@latent-sft/model';
import type { TrainingStage } from '../recipe/recipe.js';
import { stageFolder } from '../run/stage.js';
import { joinModels, type StageOneModels, splitModels } from '../stages/stage-one-models.js';
import type { ActiveRun } from './active-run.js';
import { MODELS_FILE } from './stage-files.js';
import { sourceStage } from './stage-inputs.js';

/** Encoder and decoder after a stage; both are the CoT model before stage 1. */
export function loadModels(folder: string, stage: TrainingStage): StageOneModels<NamedArray> {
  if (stage === 'cot') {
    const { weights } = loadModelFolder(stageFolder(folder, stage));
    return { encoder: weights, decoder: weights };
  }
  return splitModels(readSafetensors(join(stageFolder(folder, stage), MODELS_FILE)));
}

/** Writes a stage's best weights: a model folder, or both models of stage 1 in one file. */
export function saveStage(
  { run, context }: ActiveRun,
  stage: TrainingStage,
  weights: Map<string, NamedArray>,
): void {
  const target = stageFolder(run.folder, stage);
  if (stage === 'no-cot' || stage === 'cot' || stage === 'student') {
    saveModelFolder(target, context.config, weights);
    return;
  }
  const before = loadModels(run.folder, sourceStage(context.recipe, stage)!);
  const after = { ...before, ...withoutEmpty(splitModels(weights)) };
  writeSafetensors(join(target, MODELS_FILE), joinModels(after));
}

function withoutEmpty(models: StageOneModels<NamedArray>): Partial<StageOneModels<NamedArray>> {
  return Object.fromEntries(Object.entries(models).filter(([, weights]) => weights.size > 0));
}
