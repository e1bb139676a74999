import type { RandomStream } from '@latent-sft/random';
import { type GumbelSettings, gumbelNoise } from './gumbel-noise.js';

/** The latents of one example as stored: weights [N, k] and, unless the support is full, token ids [N, k]. */
export interface SoftLabels {
  readonly count: number;
  readonly width: number;
  readonly alpha: Float32Array;
  readonly ids: Uint32Array | null;
}

/** Noise on labels, and the token that noise must never make the most probable. */
export interface LabelNoise extends GumbelSettings {
  readonly temperature: number;
  /** First token of the end marker: a label led by it would teach the student to stop early. Null guards nothing. */
  readonly guardedToken: number | null;
}

const MAX_REDRAWS = 100;

/**
 * Labels under fresh Gumbel noise, softmax((log alpha + g) / tau) times the row's own sum, redrawn up to 100 times
 * while any slot would be led by the guarded token (the released training code's guard).
 *
 * @returns the noisy labels, and whether the guard gave up.
 * @throws if the noise scale is negative.
 */
export function perturbLabels(
  labels: SoftLabels,
  noise: LabelNoise,
  stream: (attempt: number) => RandomStream,
): { labels: SoftLabels; guardFailed: boolean } {
  for (let attempt = 0; ; attempt++) {
    const draws = gumbelNoise(noise, stream(attempt), labels.alpha.length);
    if (!draws) return { labels, guardFailed: false };
    const alpha = renoise(labels, draws, noise.temperature);
    const guarded = noise.guardedToken !== null && leads(labels, alpha, noise.guardedToken);
    if (!guarded || attempt >= MAX_REDRAWS) return { labels: { ...labels, alpha }, guardFailed: guarded };
  }
}

function renoise(
  { alpha, count, width }: SoftLabels,
  draws: Float32Array,
  temperature: number,
): Float32Array {
  const noisy = new Float32Array(alpha.length);
  for (let row = 0; row < count; row++) {
    const scores = Array.from({ length: width }, (_, j) => {
      const at = row * width + j;
      return (Math.log(alpha[at]! + 1e-10) + draws[at]!) / temperature;
    });
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    // top-k labels keep what they leave to the rest of the vocabulary
    const mass = alpha.subarray(row * width, (row + 1) * width).reduce((a, b) => a + b, 0);
    for (let j = 0; j < width; j++) noisy[row * width + j] = (mass * powers[j]!) / sum;
  }
  return noisy;
}

function leads({ count, width, ids }: SoftLabels, alpha: Float32Array, token: number): boolean {
  for (let row = 0; row < count; row++) {
    let best = 0;
    for (let j = 1; j < width; j++) if (alpha[row * width + j]! > alpha[row * width + best]!) best = j;
    if ((ids ? ids[row * width + best]! : best) === token) return true;
  }
  return false;
}
