import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  initialLora,
  initialWeights,
  LORA_TARGETS,
  loadModel,
  loadModelFolder,
  type ModelConfig,
  type NamedArray,
  saveModelFolder,
  writeSafetensors,
} from '@latent-sft/model';
import { resolveModel } from '@latent-sft/model-files';
import { randomStream } from '@latent-sft/random';
import type { Shape } from '../shapes/shape.js';
import { makeExamples, makeLabels, SUPPORT } from './make-examples.js';
import {
  ADAPTERS_FILE,
  type DecodingSettings,
  MODEL_FOLDER,
  type TrainingSettings,
  WORK_FILE,
  type WorkDescription,
} from './work-file.js';
import { writeGguf } from './write-gguf.js';

/** Where the weights of the work come from: drawn with the shape's spread, or a model's own. */
export type Weights = 'random' | { readonly model: string };

/** Sizes of answering. */
export interface DecodingSizes {
  /** Questions at once. */
  readonly batch: number;
  readonly latents: number;
  readonly tokens: number;
}

export interface WorkSettings {
  readonly shape: Shape;
  readonly weights: Weights;
  readonly seed: number;
  readonly decoding: DecodingSizes;
  /** Where works are kept. */
  readonly cache: string;
  readonly onProgress?: (sentence: string) => void;
}

/** The file that llama.cpp reads, in the folder of a work. */
const GGUF_FILE = 'model.gguf';

/** Writes the model of a work for llama.cpp too, unless it is there. */
export function addGguf(folder: string): void {
  const file = join(folder, GGUF_FILE);
  if (existsSync(file)) return;
  const { config, weights } = loadModelFolder(join(folder, MODEL_FOLDER));
  const draft = `${file}.${process.pid}`;
  writeGguf(draft, config, weights);
  renameSync(draft, file);
}

/** Raised when the same settings come to mean another work. */
const FORM = 1;

/**
 * Writes the work of a shape to a folder that every peer reads, or finds it written: examples and settings, the model
 * in Hugging Face's form, and adapters. Adapters are not at their usual start, where B is zero: it would hide errors.
 *
 * @returns the folder
 * @throws if the named model is not of the shape.
 */
export async function makeWork(settings: WorkSettings): Promise<string> {
  const { shape, weights, seed, decoding } = settings;
  const key = JSON.stringify([FORM, shape, weights, seed, decoding]);
  const name = `${shape.name}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const folder = join(settings.cache, name);
  if (existsSync(folder)) return folder;
  settings.onProgress?.(`writing weights and examples of shape ${shape.name}`);
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const model = await baseWeights(shape, weights, seed);
    saveModelFolder(join(draft, MODEL_FOLDER), shape.config, model, {});
    if (shape.tuning.method === 'lora') {
      writeSafetensors(join(draft, ADAPTERS_FILE), adapters(shape, shape.tuning, model, seed));
    }
    writeFileSync(join(draft, WORK_FILE), JSON.stringify(describe(shape, seed, decoding)));
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Writes the same weights with other examples to a folder of its own, or finds it written; weights are linked, not copied.
 *
 * @param folder what `makeWork` gave
 * @param shape with other lengths, rate or batch
 * @returns the folder
 */
export function makeVariant(folder: string, shape: Shape, seed: number): string {
  const { lengths, rate, batch } = shape;
  const key = createHash('sha256').update(JSON.stringify([FORM, lengths, rate, batch, seed]));
  const variant = `${folder}-${key.digest('hex').slice(0, 8)}`;
  if (existsSync(join(variant, WORK_FILE))) return variant;
  rmSync(variant, { recursive: true, force: true });
  mkdirSync(variant);
  for (const name of [MODEL_FOLDER, ADAPTERS_FILE]) {
    if (existsSync(join(folder, name))) symlinkSync(join(folder, name), join(variant, name));
  }
  const work = describe(shape, seed, { batch: 1, latents: 1, tokens: 1 });
  writeFileSync(join(variant, WORK_FILE), JSON.stringify(work));
  return variant;
}

function describe(shape: Shape, seed: number, sizes: DecodingSizes): WorkDescription {
  const examples = makeExamples(shape, shape.batch, seed);
  const asked = makeExamples(shape, sizes.batch, seed);
  const decoding: DecodingSettings = {
    prompts: asked.map(({ prompt, think }) => [...prompt, ...think]),
    latents: sizes.latents,
    tokens: sizes.tokens,
    support: SUPPORT,
  };
  return {
    config: shape.config,
    special: shape.special,
    training: trainingSettings(shape),
    examples,
    labels: makeLabels(shape, examples, seed),
    decoding,
  };
}

function trainingSettings({ tuning, special, learningRate }: Shape): TrainingSettings {
  const { rank, alpha } = tuning.method === 'lora' ? tuning : { rank: 1, alpha: 1 };
  return {
    method: tuning.method,
    rank,
    alpha,
    scale: alpha / rank,
    support: SUPPORT,
    compress: special.compress,
    learningRate,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clip: 1,
    checkedSteps: 3,
  };
}

async function baseWeights(shape: Shape, weights: Weights, seed: number): Promise<Map<string, NamedArray>> {
  const { config, deviation } = shape;
  if (weights === 'random') return initialWeights(config, seed, { deviation });
  const loaded = await loadModel(await resolveModel(weights.model));
  const sizes = ({ layers: _, maxPositions: __, ...rest }: ModelConfig) =>
    JSON.stringify(Object.entries(rest).sort());
  if (sizes(loaded.config) !== sizes(config) || loaded.config.layers < config.layers) {
    throw new Error(
      `makeWork: expected a model of shape ${shape.name} in ${weights.model}, got ${JSON.stringify(loaded.config)}`,
    );
  }
  const layerOf = (name: string) => Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1);
  return new Map([...loaded.weights].filter(([name]) => layerOf(name) < config.layers));
}

function adapters(
  { config, special }: Shape,
  tuning: { readonly rank: number; readonly alpha: number },
  model: ReadonlyMap<string, NamedArray>,
  seed: number,
): Map<string, NamedArray> {
  const targets = LORA_TARGETS.filter((target) => target !== 'embed_tokens');
  const all = new Map<string, NamedArray>();
  for (const owner of ['encoder', 'decoder']) {
    for (const [name, array] of initialLora(config, { ...tuning, targets }, seed, owner)) {
      const raised = name.endsWith('lora_B.weight');
      const draws = () => randomStream(seed, `${owner}/${name}`).normal(array.data.length);
      const data = raised ? draws().map((x) => 0.01 * x) : array.data;
      all.set(`${owner}/${name}`, { shape: array.shape, data });
    }
  }
  const table = model.get('model.embed_tokens.weight')!.data;
  const { width } = config;
  const query = table.slice(special.eos * width, (special.eos + 1) * width);
  all.set('encoder/latent_query.weight', { shape: [1, width], data: Float32Array.from(query) });
  return all;
}
