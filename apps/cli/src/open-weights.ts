import type { DecoderWeights, ModelConfig, Parameters } from '@latent-sft/model';
import { InputError } from './errors.js';

export const WEIGHT_FORMATS = ['float32', 'bfloat16', 'int8'] as const;

/**
 * What decoding reads in the format that was asked for; the caller disposes it.
 *
 * @returns null for float32, which is the parameters.
 * @throws InputError if this model on this engine is decoded in float32 only.
 */
export async function openWeights(
  config: ModelConfig,
  parameters: Parameters,
  format: (typeof WEIGHT_FORMATS)[number],
): Promise<DecoderWeights | null> {
  if (format === 'float32') return null;
  const { decoderWeights } = await import('@latent-sft/model');
  const weights = decoderWeights(config, parameters, format);
  if (!weights) {
    throw new InputError(
      `--weights: expected float32 for this model on this engine, got ${format}: packed weights need the fused kernels, and a llama without biases whose adapters are merged`,
    );
  }
  return weights;
}
