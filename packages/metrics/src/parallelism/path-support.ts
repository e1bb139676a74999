/** Keeps the logarithm of a step that holds none of its span finite; the value of the authors' script. */
const LEAST_MASS = 1e-12;

/**
 * Gives the support of every step for every span of one path: `log(sum of the step's probabilities on the span's
 * tokens + 1e-12)`, nats, `[T, T]`, a repeated token counted each time, an empty span as mass 0.
 */
export function supportMatrix(
  steps: readonly ReadonlyMap<number, number>[],
  spans: readonly (readonly number[])[],
): number[][] {
  return spans.map((_, step) =>
    spans.map((tokens) =>
      Math.log(tokens.reduce((mass, token) => mass + (steps[step]!.get(token) ?? 0), 0) + LEAST_MASS),
    ),
  );
}

/** Gives the score of a path, `1/T sum_t support[t][assignment[t]]`, in nats. */
export function pathScore(support: readonly (readonly number[])[], assignment: readonly number[]): number {
  const total = assignment.reduce((sum, span, step) => sum + support[step]![span]!, 0);
  return total / assignment.length;
}

/** Gives the mean score of a path over all assignments, in nats: the mean of its support matrix. */
export function meanScore(support: readonly (readonly number[])[]): number {
  return support.flat().reduce((sum, value) => sum + value, 0) / support.length ** 2;
}

/** Gives `softmax(scores / temperature)`. */
export function pathPosterior(scores: readonly number[], temperature: number): number[] {
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const weights = scores.map((score) => Math.exp((score - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Gives the exponential of the entropy of a posterior: how many paths it amounts to. */
export function effectivePathCount(posterior: readonly number[]): number {
  const nats = posterior.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  return Math.exp(nats);
}
