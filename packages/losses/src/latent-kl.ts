import { fullKl, headSparseKl, sparseKl, weightedSum } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { keepsLogits } from './keeps-logits.js';

/** Which tokens the KL of a latent slot compares. */
export type KlSupport = 'full' | 'sparse' | 'sparse+tail';

/** Soft labels of L slots on the device. */
export interface SlotLabels {
  /**
   * Teacher weights, float32 [L, k], or [L, V] with full support. With `sparse+tail` they are its own probabilities,
   * which leave the rest of their sum to the tail; else they sum to 1.
   */
  readonly alpha: tf.Tensor2D;
  /** Tokens of the weights, int32 [L, k]; null with full support. */
  readonly ids: tf.Tensor2D | null;
  /** float32 [L]; 1 / (N_i * examples) gives a mean over slots, then over examples. */
  readonly weights: tf.Tensor1D;
}

/** Which tokens are compared, and tau of the head, the same that made the labels. */
export interface LatentKlSettings {
  readonly support: KlSupport;
  readonly temperature: number;
}

/**
 * KL of the student's latents to the teacher's, tau^2 * sum_l w_l KL(alpha_l || softmax(logits_l / tau)), in nats
 * (arXiv 2510.15522, stage 2; the tau^2 of Hinton et al. 2015 keeps gradients comparable across temperatures).
 *
 * @param logits the student's at the row before each slot, float32 [L, V]
 * @throws if the temperature is not above 0.
 * @throws if the support needs token ids and there are none, or the other way round.
 */
export function latentKl(logits: tf.Tensor2D, labels: SlotLabels, settings: LatentKlSettings): tf.Scalar {
  const { support, temperature } = settings;
  checkLabels('latentKl', labels, settings);
  const tempered: tf.Tensor2D = temperature === 1 ? logits : tf.div(logits, temperature);
  const perSlot = labels.ids
    ? sparseKl(tempered, labels.ids, labels.alpha, { tail: support === 'sparse+tail' })
    : fullKl(tempered, labels.alpha);
  return overSlots(perSlot, labels, temperature);
}

/**
 * `latentKl` of the logits h W^T, which are kept where they are few, or the labels cover the whole vocabulary.
 *
 * @param hidden h, the student's states at the row before each slot, float32 [L, D]
 * @param table W, float32 [V, D]
 * @throws if the temperature is not above 0.
 * @throws if the support needs token ids and there are none, or the other way round.
 */
export function latentHeadKl(
  hidden: tf.Tensor2D,
  table: tf.Tensor2D,
  labels: SlotLabels,
  settings: LatentKlSettings,
): tf.Scalar {
  checkLabels('latentHeadKl', labels, settings);
  const { support, temperature } = settings;
  if (!labels.ids || keepsLogits(table))
    return latentKl(tf.matMul(hidden, table, false, true), labels, settings);
  const options = { tail: support === 'sparse+tail', temperature };
  return overSlots(headSparseKl(hidden, table, labels.ids, labels.alpha, options), labels, temperature);
}

function overSlots(perSlot: tf.Tensor1D, { weights }: SlotLabels, temperature: number): tf.Scalar {
  const sum = weightedSum(perSlot, weights);
  return temperature === 1 ? sum : tf.mul(sum, temperature ** 2);
}

function checkLabels(caller: string, { ids }: SlotLabels, { support, temperature }: LatentKlSettings): void {
  if (!(temperature > 0)) throw new Error(`${caller}: expected a temperature above 0, got ${temperature}`);
  if ((support === 'full') !== (ids === null)) {
    const got = ids ? 'top-k labels' : 'labels over the full vocabulary';
    throw new Error(`${caller}: expected labels that fit support ${support}, got ${got}`);
  }
}
