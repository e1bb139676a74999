import {
  loadAdapterFolder,
  loadModel,
  loadModelFolder,
  type ModelConfig,
  mergeLora,
  type NamedArray,
} from '@latent-sft/model';
import type { Recipe } from '../recipe/recipe.js';
import { readManifest } from '../run/manifest.js';
import { modelDigest, pretrainedPath } from './pretrained.js';
import { PRETRAINED } from './stage-inputs.js';

/**
 * The whole model of a stage that trains one, its adapter merged into the weights that it stands beside.
 *
 * @param folder the stage's
 * @throws if the pretrained model is not there, or its weights are not those that the stage was trained with.
 */
export async function loadWhole(
  recipe: Recipe,
  folder: string,
): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  if (recipe.tuning.method === 'full') return loadModelFolder(folder);
  const path = (await pretrainedPath(recipe))!;
  const expected = readManifest(folder).madeFrom[PRETRAINED];
  const sha256 = modelDigest(path);
  if (sha256 !== expected) {
    throw new Error(`loadWhole: expected weights with SHA-256 ${expected} at ${path}, got ${sha256}`);
  }
  const { config, weights } = await loadModel(path);
  const { adapter, settings } = loadAdapterFolder(folder);
  return { config, weights: mergeLora(weights, adapter, settings) };
}
