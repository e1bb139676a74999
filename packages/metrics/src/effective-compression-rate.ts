import { type CandidateStep, candidateMap } from './candidate-step.js';
import { checkInteger } from './checks.js';

/**
 * Gives ECR@K: how many tokens of its explicit segment a latent holds among its K likeliest, on average.
 *
 * Formula: `1/N sum_i |{t in S_i : t in top-K(alpha_i)}|`, repeated tokens counted each time. The name is from the
 * second version of arXiv 2510.15522, which does not define it in the text we could read; this definition gives 1
 * for a written chain (r = 1) and at most r at rate r, as its figure does. A latent with fewer than K stored
 * candidates counts those it has: ECR@50 of a top-10 label is its ECR@10.
 *
 * @param steps Mixtures of the latents, `[N]`.
 * @param segments Token ids of the segment that belongs to each latent, `[N]` lists.
 * @param count K.
 * @throws If `count` is not an integer of at least 1.
 * @throws If there is no step, or not one segment a step.
 * @throws If a step names an id twice, or holds bad probabilities.
 */
export function effectiveCompressionRate(
  steps: readonly CandidateStep[],
  segments: readonly ArrayLike<number>[],
  count: number,
): number {
  checkInteger('effectiveCompressionRate', 'count', count, 1);
  if (steps.length === 0) throw new Error('effectiveCompressionRate: expected at least 1 step, got none');
  if (segments.length !== steps.length) {
    throw new Error(
      `effectiveCompressionRate: expected one segment a step, got ${segments.length} for ${steps.length} steps`,
    );
  }
  let found = 0;
  steps.forEach((step, i) => {
    const candidates = candidateMap('effectiveCompressionRate', `step ${i}`, step, count);
    found += Array.from(segments[i]!).filter((token) => candidates.has(token)).length;
  });
  return found / steps.length;
}
