import { type AdapterDropout, adaptedLinear, layerNorm, rmsNorm } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import { type Parameters, parameter } from '../parameters/parameters.js';

/** The norm of a model's architecture over the last axis. */
export function norm<T extends tf.Tensor>(
  config: ModelConfig,
  parameters: Parameters,
  x: T,
  name: string,
): T {
  const weight = parameter<tf.Tensor1D>(parameters, `${name}.weight`);
  if (traitsOf(config.architecture).norm === 'rms') return rmsNorm(x, weight, config.normEpsilon);
  return layerNorm(x, weight, parameter<tf.Tensor1D>(parameters, `${name}.bias`), config.normEpsilon);
}

/**
 * x W^T for rows x [R, in] and a weight [out, in]; + b where the map has a bias; with an adapter of
 * rank r on the map, + scale (x A^T) B^T (Hu et al. 2021, arXiv 2106.09685, eq. 3).
 *
 * @param dropout what adapters do not see of x; each map draws its own numbers
 */
export function linear(
  parameters: Parameters,
  x: tf.Tensor2D,
  name: string,
  dropout: AdapterDropout | null = null,
): tf.Tensor2D {
  const weight = parameter<tf.Tensor2D>(parameters, `${name}.weight`);
  const lower = parameters.get(`${name}.lora_A.weight`) as tf.Tensor2D | undefined;
  const mapped: tf.Tensor2D = lower
    ? adaptedLinear(
        x,
        weight,
        lower,
        parameter(parameters, `${name}.lora_B.weight`),
        parameter(parameters, 'lora_scale'),
        dropout && { ...dropout, label: `${dropout.label}/${name}` },
      )
    : tf.matMul(x, weight, false, true);
  const bias = parameters.get(`${name}.bias`);
  return bias ? tf.add(mapped, bias) : mapped;
}
