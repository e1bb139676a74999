import { randomStream } from '@latent-sft/random';

/** How answer tokens are drawn: the most probable one, or from the nucleus at a temperature. */
export type Sampling =
  | { readonly kind: 'greedy' }
  | { readonly kind: 'nucleus'; readonly temperature: number; readonly topP: number; readonly seed: number };

/** The place of the largest number. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * A token from a row of logits.
 *
 * @param logits float32 [V]
 * @param row question number and @param step token number: the same pair draws the same token
 * @throws if the temperature is not above 0, or topP not within (0, 1].
 */
export function sampleToken(logits: Float32Array, sampling: Sampling, row: number, step: number): number {
  if (sampling.kind === 'greedy') return argmax(logits);
  const { temperature, topP, seed } = sampling;
  if (!(temperature > 0)) throw new Error(`sampleToken: expected a temperature above 0, got ${temperature}`);
  if (!(topP > 0 && topP <= 1)) throw new Error(`sampleToken: expected top-p within (0, 1], got ${topP}`);
  const highest = logits[argmax(logits)]!;
  const powers = Float64Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  const total = powers.reduce((a, b) => a + b, 0);
  const order = leading(powers, topP * total);
  const nucleus: number[] = [];
  let mass = 0;
  for (const id of order) {
    nucleus.push(id);
    mass += powers[id]! / total;
    if (mass >= topP) break;
  }
  let left = randomStream(seed, `sample/${row}`, step).uniform(1)[0]! * mass;
  for (const id of nucleus) {
    left -= powers[id]! / total;
    if (left <= 0) return id;
  }
  return nucleus.at(-1)!;
}

/**
 * The tokens of most power that together hold `wanted` of it, and some more, in descending order: only as many are
 * sorted as may be needed.
 */
function leading(powers: Float64Array, wanted: number): number[] {
  // the greatest power is 1
  for (let threshold = 1e-2; ; threshold = threshold > 1e-12 ? threshold / 100 : 0) {
    const ids: number[] = [];
    let held = 0;
    for (let id = 0; id < powers.length; id++) {
      if (powers[id]! < threshold) continue;
      ids.push(id);
      held += powers[id]!;
    }
    // a little more than wanted, as sums in another order round differently
    if (threshold === 0 || held > wanted * (1 + 1e-9)) return ids.sort((a, b) => powers[b]! - powers[a]!);
  }
}
