import type { Parameters } from '@latent-sft/model';
import type { ExampleTokens } from '@latent-sft/segmentation';
import * as tf from '@tensorflow/tfjs';
import type { ExampleLabels } from '../run/label-writer.js';
import { deviceBatch } from './device-batch.js';
import { encoderBatch, latentHead } from './encoder-batch.js';
import type { StageContext } from './stage-context.js';
import { encodeLatents } from './stage-losses.js';

/** The latents of one example as vectors, float32 [D] each. */
export type LatentVectors = readonly Float32Array[];

interface Models {
  readonly encoder: Parameters;
  readonly decoder: Parameters;
}

/** Soft labels of examples: the encoder's mixtures without noise, one batch. */
export function softLabels(
  context: StageContext,
  models: Models,
  examples: readonly ExampleTokens[],
): ExampleLabels[] {
  const { alpha, ids, width } = encode(context, models, examples);
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
  const mixtures = encodeLatents(config, models.encoder, models.decoder, batch, latentHead(context), null);
  const result = {
    alpha: Float32Array.from(mixtures.alpha.dataSync()),
    ids: mixtures.ids ? Int32Array.from(mixtures.ids.dataSync()) : null,
    width: mixtures.alpha.shape[1],
    latents: Float32Array.from(mixtures.latents.dataSync()),
  };
  tf.dispose([mixtures.alpha, mixtures.latents, ...(mixtures.ids ? [mixtures.ids] : [])]);
  batch.dispose();
  return result;
}
