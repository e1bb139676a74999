import type { RandomStream } from '@latent-sft/random';

/**
 * Which Gumbel(0, 1) noise is added to log-probabilities: none; `plain`, scale * g (paper v2); `clamped`,
 * clamp(scale * g, -1.5, 3) (the released training code); `one-sided`, scale * (clamp(g, -1.5, 3) + 1.5)
 * (Latent-GRPO).
 */
export type GumbelVariant = 'none' | 'plain' | 'clamped' | 'one-sided';

/** A noise variant with its scale. */
export interface GumbelSettings {
  readonly variant: GumbelVariant;
  readonly scale: number;
}

const LOW = -1.5;
const HIGH = 3;
const clamp = (x: number) => Math.min(HIGH, Math.max(LOW, x));

/**
 * Noise for `count` log-probabilities, float32 [count]; null for the variant `none`.
 *
 * @throws if the scale is negative or not finite.
 */
export function gumbelNoise(
  settings: GumbelSettings,
  stream: RandomStream,
  count: number,
): Float32Array | null {
  const { variant, scale } = settings;
  if (!(scale >= 0) || !Number.isFinite(scale)) {
    throw new Error(`gumbelNoise: expected a scale from 0 on, got ${scale}`);
  }
  if (variant === 'none' || scale === 0) return null;
  return shapeNoise(settings, stream.gumbel(count));
}

/** Applies a variant to raw Gumbel draws, float32 [count]. */
export function shapeNoise({ variant, scale }: GumbelSettings, draws: Float32Array): Float32Array {
  if (variant === 'plain') return draws.map((g) => scale * g);
  if (variant === 'clamped') return draws.map((g) => clamp(scale * g));
  if (variant === 'one-sided') return draws.map((g) => scale * (clamp(g) - LOW));
  return draws.map(() => 0);
}
