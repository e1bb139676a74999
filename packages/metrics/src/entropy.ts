import { checkProbabilities } from './candidate-step.js';

/**
 * Gives the entropy of a distribution: `-sum_j p_j log p_j`, in nats, with `0 log 0 = 0`.
 *
 * @param probabilities `[V]`, at least 0, sum 1.
 * @throws If a probability is negative or not finite, or the sum is not 1 to 1e-3.
 */
export function entropy(probabilities: ArrayLike<number>): number {
  const sum = checkProbabilities('entropy', 'probabilities', probabilities);
  if (Math.abs(sum - 1) > 1e-3) throw new Error(`entropy: expected probabilities to sum to 1, got ${sum}`);
  let nats = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i]!;
    if (probability > 0) nats -= probability * Math.log(probability);
  }
  return nats;
}

/**
 * Gives the perplexity of a distribution: `exp(entropy)`, the number of equally likely choices it amounts to.
 *
 * @param probabilities `[V]`, at least 0, sum 1.
 * @throws If a probability is negative or not finite, or the sum is not 1 to 1e-3.
 */
export function perplexity(probabilities: ArrayLike<number>): number {
  return Math.exp(entropy(probabilities));
}
