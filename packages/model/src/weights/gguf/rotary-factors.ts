import type { RotaryStretch } from '@latent-sft/tensor';
import type { ModelConfig } from '../../config.js';

// llama.cpp writes what Llama 3's rule gives and not its settings. Every released model has these two.
const LOW_FREQUENCY_FACTOR = 1;
const HIGH_FREQUENCY_FACTOR = 4;
const TOLERANCE = 1e-4;

/**
 * Llama 3's settings, from the divisors of the rotary frequencies that they give.
 *
 * With f the frequency, P the trained positions and s = (P f / 2 pi - 1) / (4 - 1) clamped to [0, 1], a divisor is
 * 1 / (s + (1 - s) / factor): the largest is the factor, and any in between gives P.
 * Source of the rule: `_compute_llama3_parameters` in transformers' modeling_rope_utils.
 * @param factors One divisor per pair of a head, float32 [headWidth / 2].
 * @param file For messages.
 * @throws If no settings give these divisors.
 */
export function stretchOfFactors(factors: Float32Array, config: ModelConfig, file: string): RotaryStretch {
  const { headWidth, ropeBase } = config;
  const fail = (got: string): Error =>
    new Error(`loadModel: expected rope_freqs.weight in ${file} by the rule of Llama 3, got ${got}`);
  if (ropeBase === null || factors.length !== headWidth / 2) {
    throw fail(`${factors.length} divisors for heads of width ${headWidth}`);
  }
  const frequencies = Array.from(factors, (_, pair) => ropeBase ** ((-2 * pair) / headWidth));
  const factor = factors.reduce((largest, each) => Math.max(largest, each), 1);
  const between = factors.findIndex((each) => each > 1 + TOLERANCE && each < factor * (1 - TOLERANCE));
  if (between < 0) throw fail('no divisor between 1 and the largest');
  const share = (1 / factors[between]! - 1 / factor) / (1 - 1 / factor);
  const cycles = LOW_FREQUENCY_FACTOR + share * (HIGH_FREQUENCY_FACTOR - LOW_FREQUENCY_FACTOR);
  const trainedPositions = Math.round((cycles * 2 * Math.PI) / frequencies[between]!);

  frequencies.forEach((frequency, pair) => {
    const turns = (trainedPositions * frequency) / (2 * Math.PI);
    const raw = (turns - LOW_FREQUENCY_FACTOR) / (HIGH_FREQUENCY_FACTOR - LOW_FREQUENCY_FACTOR);
    const smooth = Math.min(1, Math.max(0, raw));
    const expected = 1 / (smooth + (1 - smooth) / factor);
    if (!(Math.abs(factors[pair]! - expected) <= TOLERANCE * expected)) {
      throw fail(`${factors[pair]} for pair ${pair}, where ${expected} would be`);
    }
  });
  return {
    factor,
    lowFrequencyFactor: LOW_FREQUENCY_FACTOR,
    highFrequencyFactor: HIGH_FREQUENCY_FACTOR,
    trainedPositions,
  };
}
