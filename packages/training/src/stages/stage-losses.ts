import {
  type KlSupport,
  type LossTerm,
  latentHeadKl,
  type SlotLabels,
  weightedHeadNll,
} from '@latent-sft/losses';
import { inputTable, type ModelConfig, outputTable, type Parameters } from '@latent-sft/model';
import { type MixtureSettings, type VocabularyMixture, vocabularyMixture } from '@latent-sft/soft-embedding';
import { mixture } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { Loss } from '../optimiser/trainable-vector.js';
import type { DeviceBatch } from './device-batch.js';
import { batchStates } from './forward-batch.js';

/** Cross-entropy of the targets of a batch: CoT-SFT and No-CoT. */
export function chainLoss(config: ModelConfig, parameters: Parameters, batch: DeviceBatch): Loss {
  const states = batchStates(config, parameters, batch, batch.targets);
  const loss = targetNll(config, parameters, batch, states);
  return { loss, parts: {} };
}

/** Which table a latent's logits are read from. */
export type Readout = 'input-table' | 'lm-head';

/** The head that turns encoder states into latents. */
export interface LatentHead extends MixtureSettings {
  readonly readout: Readout;
}

/**
 * The latents that the encoder makes of a batch, mixtures over the decoder's tables.
 *
 * @param noise float32 [L * k], or null
 */
export function encodeLatents(
  config: ModelConfig,
  encoder: Parameters,
  decoder: Parameters,
  batch: DeviceBatch,
  head: LatentHead,
  noise: Float32Array | null,
): VocabularyMixture {
  const states = latentStates(config, encoder, batch);
  const mixtures = vocabularyMixture(
    states,
    readoutOf(config, decoder, head),
    inputTable(decoder),
    head,
    noise,
  );
  states.dispose();
  return mixtures;
}

/** The encoder's states at the latent rows, float32 [L, D]. */
export function latentStates(config: ModelConfig, encoder: Parameters, batch: DeviceBatch): tf.Tensor2D {
  return tf.tidy(() => batchStates(config, encoder, batch, batch.latents, latentQueries(encoder, batch)));
}

/** What a pretrained encoder reads in latent slots, float32 [L, D]; others have a token for it. */
function latentQueries(encoder: Parameters, batch: DeviceBatch): tf.Tensor2D | null {
  const query = encoder.get('latent_query.weight') as tf.Tensor2D | undefined;
  return query ? tf.tile(query, [batch.latentWeights.size, 1]) : null;
}

/** The decoder's table that latents are read from, float32 [V, D]. */
export function readoutOf(config: ModelConfig, decoder: Parameters, head: LatentHead): tf.Tensor2D {
  return head.readout === 'input-table' ? inputTable(decoder) : outputTable(config, decoder);
}

/** Stage 1: the encoder's latents take their slots, and the decoder restores what follows them. */
export function stageOneLoss(
  config: ModelConfig,
  models: { readonly encoder: Parameters; readonly decoder: Parameters },
  batches: { readonly encoder: DeviceBatch; readonly decoder: DeviceBatch },
  head: LatentHead,
  noise: Float32Array | null,
): Loss {
  const { latents } = encodeLatents(config, models.encoder, models.decoder, batches.encoder, head, noise);
  const { decoder } = batches;
  const states = batchStates(config, models.decoder, decoder, decoder.targets, latents);
  return { loss: targetNll(config, models.decoder, decoder, states), parts: {} };
}

/** Settings of the student's loss. */
export interface StudentLossSettings {
  readonly temperature: number;
  readonly support: KlSupport;
  readonly klWeight: number;
  readonly ceWeight: number;
}

/** Stage 2: KL on latent slots, cross-entropy on words, or both. */
export function studentLoss(
  config: ModelConfig,
  parameters: Parameters,
  batch: DeviceBatch,
  labels: SlotLabels,
  term: LossTerm,
  settings: StudentLossSettings,
): Loss {
  const table = inputTable(parameters);
  // top-k labels are the teacher's own probabilities: latents and the sparse KL take their shares of the support
  const shares: SlotLabels = labels.ids
    ? { ...labels, alpha: tf.div(labels.alpha, tf.sum(labels.alpha, 1, true)) }
    : labels;
  const latents = shares.ids
    ? mixture(shares.alpha, shares.ids, table)
    : tf.matMul<tf.Tensor2D>(shares.alpha, table);
  const read = { kl: batch.beforeLatents, ce: batch.targets, joint: batch.said }[term];
  const states = batchStates(config, parameters, batch, read, latents);
  const counts = [batch.beforeLatents.count, batch.targets.count];
  const [klStates, ceStates] = term === 'joint' ? tf.split<tf.Tensor2D>(states, counts) : [states, states];
  const parts: Record<string, tf.Scalar> = {};
  if (term !== 'ce') {
    const own = settings.support === 'sparse+tail' ? labels : shares;
    parts.kl = latentHeadKl(klStates!, outputTable(config, parameters), own, settings);
  }
  if (term !== 'kl') parts.ce = targetNll(config, parameters, batch, ceStates!);
  const kl = parts.kl && weighted(parts.kl, settings.klWeight);
  const ce = parts.ce && weighted(parts.ce, settings.ceWeight);
  // the gradient of `add` reshapes, that of `addN` does not
  return { loss: kl && ce ? tf.addN<tf.Scalar>([kl, ce]) : (kl ?? ce)!, parts };
}

const weighted = (part: tf.Scalar, weight: number) => (weight === 1 ? part : tf.mul<tf.Scalar>(part, weight));

/** @param rows states at the rows of targets, float32 [N, D] */
function targetNll(
  config: ModelConfig,
  parameters: Parameters,
  batch: DeviceBatch,
  rows: tf.Tensor2D,
): tf.Scalar {
  return weightedHeadNll(rows, outputTable(config, parameters), batch.targetIds, batch.targetWeights);
}
