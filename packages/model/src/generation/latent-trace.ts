import type { VocabularyMixture } from '@latent-sft/soft-embedding';
import * as tf from '@tensorflow/tfjs';

/** A latent as words: its most probable tokens and their weights. */
export interface LatentTrace {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
  /** Entropy of all its weights, in nats. */
  readonly entropy: number;
  /** z itself, float32 [D], where asked for. */
  readonly vector?: Float32Array;
}

/**
 * Latents as words; of a mixture of the whole vocabulary only what is reported leaves the backend.
 *
 * @param size how many tokens of each to report
 * @param vectors whether each comes with its vector
 */
export function latentTraces(mixture: VocabularyMixture, size: number, vectors: boolean): LatentTrace[] {
  const [count, words] = mixture.alpha.shape;
  const width = mixture.latents.shape[1];
  const reported = Math.min(size, words);
  return tf.tidy(() => {
    const read = (tensor: tf.Tensor) => tensor.dataSync();
    const entropies = read(entropy(mixture.alpha));
    // a chosen support is in order already
    const top =
      mixture.ids || reported === 0
        ? { values: mixture.alpha, indices: mixture.ids }
        : tf.topk<tf.Tensor2D>(mixture.alpha, reported);
    const weights = reported > 0 ? read(top.values) : [];
    const ids = reported > 0 ? read(top.indices!) : [];
    const latents = vectors ? (read(mixture.latents) as Float32Array) : null;
    const stride = top.values.shape[1]!;
    return Array.from({ length: count }, (_, row) => ({
      ids: Array.from(ids.slice(row * stride, row * stride + reported)),
      weights: Array.from(weights.slice(row * stride, row * stride + reported)),
      entropy: entropies[row]!,
      ...(latents && { vector: latents.slice(row * width, (row + 1) * width) }),
    }));
  });
}

/** - sum of alpha ln(alpha) in each row, with 0 ln(0) = 0, float32 [L]. */
function entropy(alpha: tf.Tensor2D): tf.Tensor1D {
  const tiny = 1.2e-38; // the least normal float32
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(alpha, tf.log(tf.maximum(alpha, tiny))), 1));
}
