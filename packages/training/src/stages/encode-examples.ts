import { inputTable, type Parameters } from '@latent-sft/model';
import type { ExampleTokens } from '@latent-sft/segmentation';
import { capturedMass, vocabularyMixture } from '@latent-sft/soft-embedding';
import * as tf from '@tensorflow/tfjs';
import type { ExampleLabels } from '../run/label-writer.js';
import { deviceBatch } from './device-batch.js';
import { encoderBatch, latentHead } from './encoder-batch.js';
import type { StageContext } from './stage-context.js';
import { latentStates, readoutOf } from './stage-losses.js';

/** The latents of one example as vectors, float32 [D] each. */
export type LatentVectors = readonly Float32Array[];

/** Encoder and decoder, each whole. */
interface Models {
  readonly encoder: Parameters;
  readonly decoder: Parameters;
}

/**
 * Soft labels of examples: the encoder's mixtures without noise, one batch. With top-k support they are its own
 * probabilities, not renormalised, so that what they leave to the rest of the vocabulary is known.
 */
export function softLabels(
  context: StageContext,
  models: Models,
  examples: readonly ExampleTokens[],
): ExampleLabels[] {
  const { alpha, ids, width, mass } = encode(context, models, examples);
  if (mass) for (let i = 0; i < alpha.length; i++) alpha[i]! *= mass[Math.floor(i / width)]!;
  let start = 0;
  return examples.map((example) => {
    const end = start + example.segments.length * width;
    const labels = {
      alphas: alpha.slice(start, end),
      ...(ids && { ids: Uint32Array.from(ids.slice(start, end)) }),
    };
    start = end;
    return labels;
  });
}

/** The encoder's latents of examples as vectors, in chunks, for a decoder to answer from. */
export function latentVectors(
  context: StageContext,
  models: Models,
  examples: readonly ExampleTokens[],
): LatentVectors[] {
  const chunk = context.recipe.evaluation.batch;
  const { width } = context.config;
  const vectors: LatentVectors[] = [];
  for (let first = 0; first < examples.length; first += chunk) {
    const part = examples.slice(first, first + chunk);
    const { latents } = encode(context, models, part);
    let row = 0;
    for (const { segments } of part) {
      vectors.push(segments.map((_, i) => latents.slice((row + i) * width, (row + i + 1) * width)));
      row += segments.length;
    }
  }
  return vectors;
}

function encode(context: StageContext, models: Models, examples: readonly ExampleTokens[]) {
  const { config } = context;
  const batch = deviceBatch(encoderBatch(context, examples), config);
  const head = latentHead(context);
  const readout = readoutOf(config, models.decoder, head);
  const states = latentStates(config, models.encoder, batch);
  const mixtures = vocabularyMixture(states, readout, inputTable(models.decoder), head);
  const mass = mixtures.ids && capturedMass(states, readout, mixtures.ids, head);
  const result = {
    alpha: Float32Array.from(mixtures.alpha.dataSync()),
    ids: mixtures.ids ? Int32Array.from(mixtures.ids.dataSync()) : null,
    width: mixtures.alpha.shape[1],
    latents: Float32Array.from(mixtures.latents.dataSync()),
    mass: mass && Float32Array.from(mass.dataSync()),
  };
  tf.dispose([states, mixtures.alpha, mixtures.latents]);
  if (mixtures.ids && mass) tf.dispose([mixtures.ids, mass]);
  batch.dispose();
  return result;
}
