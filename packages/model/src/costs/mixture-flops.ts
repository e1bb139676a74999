import type { ModelConfig } from '../config.js';
import type { PassFlops } from './pass-flops.js';

/** Latents made as mixtures of word vectors. */
export interface MixtureCounts {
  readonly latents: number;
  /** Words that a latent may hold: k, or the whole vocabulary. */
  readonly words: number;
  /** Whether the weights of the words carry gradients, as an encoder's do. */
  readonly weightsTrained: boolean;
  /** Whether the word vectors do. */
  readonly tableTrained: boolean;
}

/**
 * FLOPs of z = sum_i alpha_i e_i: 2 L K D for L latents of K words, and in the backward pass as much for the gradient
 * of the weights and for that of the word vectors, where wanted. The logits that the weights come from are head
 * rows of the pass; their softmax and the choice of k are left out.
 */
export function mixtureFlops({ width }: ModelConfig, counts: MixtureCounts): PassFlops {
  const forward = 2 * counts.latents * counts.words * width;
  return { forward, backward: forward * (Number(counts.weightsTrained) + Number(counts.tableTrained)) };
}
