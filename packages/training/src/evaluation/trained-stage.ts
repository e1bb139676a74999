import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tokenizer, tokenizerFromJSON } from '@latent-sft/data';
import type { ModelConfig, NamedArray } from '@latent-sft/model';
import { loadWhole } from '../pipeline/load-whole.js';
import { parseRecipe, type Recipe } from '../recipe/recipe.js';
import { verifyManifest } from '../run/manifest.js';
import { readRecipe } from '../run/run-folder.js';
import { stageFolder, stageStatus } from '../run/stage.js';
import type { AnswerStage } from './answerer.js';

const FOLDERS: Readonly<Record<AnswerStage, string>> = { 'no-cot': 'no-cot', cot: 'cot', latent: 'student' };

/** A finished stage of a run that trains one model. */
export interface TrainedStage {
  readonly recipe: Recipe;
  /** Where its files are: a model folder, or with LoRA an adapter folder. */
  readonly folder: string;
  readonly tokenizer: Tokenizer;
}

/**
 * The recipe of a run.
 *
 * @throws if the folder is no run, or its recipe is damaged.
 */
export function readRunRecipe(folder: string): Recipe {
  return parseRecipe(readRecipe(folder), `recipe of ${folder}`);
}

/**
 * Finds a stage of a run and checks its files against their hashes.
 *
 * @throws if the folder is no run, the stage is not finished, or a file of it is damaged.
 */
export function trainedStage(run: string, stage: AnswerStage): TrainedStage {
  const recipe = readRunRecipe(run);
  const name = FOLDERS[stage];
  const status = stageStatus(run, name);
  if (status !== 'finished') {
    throw new Error(`trainedStage: expected stage ${name} of ${run} to be finished, got ${status}`);
  }
  const folder = stageFolder(run, name);
  verifyManifest(folder);
  return { recipe, folder, tokenizer: readTokenizer(run) };
}

/**
 * The weights of a trained stage, an adapter merged into what it stands beside; merging needs an engine.
 *
 * @throws if the pretrained model that an adapter is of is not there, or is another one by now.
 */
export function trainedWeights({
  recipe,
  folder,
}: TrainedStage): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  return loadWhole(recipe, folder);
}

function readTokenizer(run: string): Tokenizer {
  const file = join(run, 'tokenizer.json');
  try {
    return tokenizerFromJSON(JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (error) {
    throw new Error(`trainedStage: expected a tokenizer in ${file}, got: ${(error as Error).message}`);
  }
}
