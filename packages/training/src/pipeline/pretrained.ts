import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  disposeParameters,
  loadModel,
  loraScale,
  type ModelConfig,
  type NamedArray,
  parametersFrom,
} from '@latent-sft/model';
import { resolveModel } from '@latent-sft/model-files';
import * as tf from '@tensorflow/tfjs';
import type { Recipe } from '../recipe/recipe.js';
import { digestFile, sha256OfJson } from '../run/digest.js';
import type { FrozenBase } from '../stages/frozen-base.js';

/** The pretrained model of a run, loaded. */
export interface Pretrained {
  readonly config: ModelConfig;
  /** Of its weight files. */
  readonly sha256: string;
  /** Its weights on the host, where training moves them all. */
  readonly weights: ReadonlyMap<string, NamedArray> | null;
  /** Its weights on the device, where adapters move beside them. */
  readonly frozen: FrozenBase | null;
  /** A row of its input table, float32 [D]. */
  embeddingOf(token: number): Float32Array;
  dispose(): void;
}

/**
 * Where the pretrained model of a recipe lies on this machine, fetched if need be; null for fresh weights.
 *
 * @throws if there is no such model.
 */
export async function pretrainedPath(
  recipe: Recipe,
  onProgress?: (sentence: string) => void,
): Promise<string | null> {
  if (recipe.model.source === 'fresh') return null;
  return resolveModel(recipe.model.from, onProgress ? { onProgress } : {});
}

/**
 * Loads the pretrained model of a run; the caller disposes it.
 *
 * @throws if its files are malformed or of an architecture that is not known.
 */
export async function openPretrained(recipe: Recipe, path: string): Promise<Pretrained> {
  const { config, weights } = await loadModel(path);
  const { tuning } = recipe;
  const table = weights.get('model.embed_tokens.weight')!.data;
  const rowOf = (token: number) => table.slice(token * config.width, (token + 1) * config.width);
  const shared = { config, sha256: modelDigest(path), embeddingOf: rowOf };
  if (tuning.method === 'full') return { ...shared, weights, frozen: null, dispose: () => {} };
  const parameters = parametersFrom(weights);
  const scale = tf.scalar(loraScale(tuning));
  return {
    ...shared,
    weights: null,
    frozen: { parameters, scale },
    dispose() {
      disposeParameters(parameters);
      scale.dispose();
    },
  };
}

/** The SHA-256 of a model's weights: of its file, or of the names and hashes of the files in its folder. */
export function modelDigest(path: string): string {
  if (statSync(path).isFile()) return digestFile(path).sha256;
  const files = readdirSync(path)
    .filter((name) => name === 'config.json' || name.endsWith('.safetensors'))
    .sort();
  return sha256OfJson(files.map((name) => [name, digestFile(join(path, name)).sha256]));
}
