import { headTopWords, mixture, rowProducts, topWords } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

/** How a state becomes a mixture of words. */
export interface MixtureSettings {
  /** How many tokens a mixture may hold: the k most probable, or the whole vocabulary. */
  readonly support: number | 'full';
  /** Softmax temperature, above 0. */
  readonly temperature: number;
  /**
   * Tokens that no mixture holds. The end marker belongs here: its being the most probable token is what ends
   * the latent phase, and an encoder that is free to use it as one more code word makes students stop early.
   */
  readonly excluded?: readonly number[];
}

/** A mixture of vocabulary embeddings; the caller owns the tensors. */
export interface VocabularyMixture {
  /** Weights of the tokens, rows sum to 1, float32 [L, k], or [L, V] with full support. */
  readonly alpha: tf.Tensor2D;
  /** The tokens, most probable first, int32 [L, k]; null with full support. */
  readonly ids: tf.Tensor2D | null;
  /** The latents z, float32 [L, D]. */
  readonly latents: tf.Tensor2D;
}

/**
 * The vocabulary-space latent of each state: l = h W^T, I = top-k of l, alpha = softmax((l_I + g) / tau),
 * z = sum_{j in I} alpha_j E_j (arXiv 2510.15522, section 3). Gradients reach the states through alpha alone:
 * both tables count as constants, and the choice of I has no gradient.
 *
 * @param states after the final norm, float32 [L, D]
 * @param readout W, the input table or the LM head, float32 [V, D]
 * @param table E, the input embeddings, float32 [V, D]
 * @param noise g per token, float32 [L, V] with full support, [L, k] else, row-major
 * @throws if the temperature is not above 0.
 * @throws if the support is neither 'full' nor a whole number from 1 on.
 * @throws if the noise has not one number per weight.
 */
export function vocabularyMixture(
  states: tf.Tensor2D,
  readout: tf.Tensor2D,
  table: tf.Tensor2D,
  settings: MixtureSettings,
  noise: Float32Array | null = null,
): VocabularyMixture {
  checkMixture('vocabularyMixture', settings);
  const { support, temperature } = settings;
  const excluded = distinct(settings.excluded);
  const [count] = states.shape;
  const [vocabulary] = readout.shape;
  const full = support === 'full' || support >= vocabulary;
  const width = full ? vocabulary : support;
  if (noise && noise.length !== count * width) {
    throw new Error(
      `vocabularyMixture: expected noise for ${count} x ${width} weights, got ${noise.length} numbers`,
    );
  }
  const [alpha, latents, ids] = tf.tidy(() => {
    const constantReadout = constant(() => tf.clone(readout));
    const constantTable = constant(() => tf.clone(table));
    const weigh = (logits: tf.Tensor2D) => {
      const noisy = noise ? tf.add<tf.Tensor2D>(logits, tf.tensor2d(noise, [count, width])) : logits;
      return tf.softmax<tf.Tensor2D>(temperature === 1 ? noisy : tf.div<tf.Tensor2D>(noisy, temperature));
    };
    if (full) {
      const logits = tf.matMul<tf.Tensor2D>(states, constantReadout, false, true);
      const weights = weigh(excluded.length > 0 ? tf.add(logits, penalty(excluded, vocabulary)) : logits);
      return [weights, tf.matMul<tf.Tensor2D>(weights, constantTable)];
    }
    const support = constant(() => headTopWords(states, readout, width, excluded).ids);
    const chosen = rowProducts(states, support, constantReadout);
    // a support wider than what is left holds excluded tokens too, and must give them nothing
    const crowded = width > vocabulary - excluded.length;
    const weights = weigh(
      crowded ? tf.add(chosen, tf.gather(penalty(excluded, vocabulary), support)) : chosen,
    );
    return [weights, mixture(weights, support, constantTable), support];
  });
  return { alpha: alpha!, latents: latents!, ids: ids ?? null };
}

/**
 * The same from logits that are there already, as in decoding: no second product with the readout. Constants, without
 * gradients; `vocabularyMixture` has them.
 *
 * @param logits l, float32 [L, V]
 * @param table E, the input embeddings, float32 [V, D]
 * @throws if the temperature is not above 0.
 * @throws if the support is neither 'full' nor a whole number from 1 on.
 */
export function mixtureOfLogits(
  logits: tf.Tensor2D,
  table: tf.Tensor2D,
  settings: MixtureSettings,
): VocabularyMixture {
  checkMixture('mixtureOfLogits', settings);
  const { support, temperature } = settings;
  const excluded = distinct(settings.excluded);
  const [, vocabulary] = logits.shape;
  const [alpha, latents, ids] = tf.tidy(() => {
    const weigh = (chosen: tf.Tensor2D) =>
      tf.softmax<tf.Tensor2D>(temperature === 1 ? chosen : tf.div<tf.Tensor2D>(chosen, temperature));
    if (support === 'full' || support >= vocabulary) {
      const open = excluded.length > 0 ? tf.add<tf.Tensor2D>(logits, penalty(excluded, vocabulary)) : logits;
      const weights = weigh(open);
      return [weights, tf.matMul<tf.Tensor2D>(weights, table)];
    }
    const top = topWords(logits, support, excluded);
    const weights = weigh(top.logits);
    return [weights, mixture(weights, top.ids, table), top.ids];
  });
  return { alpha: alpha!, latents: latents!, ids: ids ?? null };
}

function checkMixture(caller: string, { support, temperature }: MixtureSettings): void {
  if (!(temperature > 0)) throw new Error(`${caller}: expected a temperature above 0, got ${temperature}`);
  if (support !== 'full' && !(Number.isInteger(support) && support >= 1)) {
    throw new Error(`${caller}: expected support 'full' or a whole number from 1 on, got ${support}`);
  }
}

const distinct = (tokens: readonly number[] = []) => [...new Set(tokens)];

/** What takes tokens out of a softmax, float32 [V]. */
function penalty(tokens: readonly number[], vocabulary: number): tf.Tensor1D {
  const row = new Float32Array(vocabulary);
  for (const token of tokens) row[token] = -1e9;
  return tf.tensor1d(row);
}

/** Computes off the gradient tape: to all that reads the result it is a constant, and costs no backward pass. */
function constant<T extends tf.Tensor>(compute: () => T): T {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
