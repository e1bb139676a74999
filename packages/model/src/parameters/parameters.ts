import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import type { NamedArray } from '../weights/named-array.js';
import { tensorShapes } from '../weights/tensor-shapes.js';

/** A model's tensors by the names that Hugging Face gives llama's; linear maps are [out, in]. */
export type Parameters = ReadonlyMap<string, tf.Tensor>;

/** How fresh weights are spread. */
export interface InitialSpread {
  /** Standard deviation of every weight but norms, which start at 1, and biases, at 0. */
  readonly deviation: number;
  /** Of the input table, where it is another one. */
  readonly embeddingDeviation?: number | undefined;
  /**
   * Whether what a block adds to the residual stream starts 1 / sqrt(2 layers) as large (GPT-2, Radford et al.
   * 2019), so that blocks do not drown the tokens.
   */
  readonly scaledResiduals?: boolean;
}

/**
 * Fresh weights, normal. The same seed gives the same numbers on every machine.
 *
 * @throws if a deviation is not above 0.
 */
export function initialWeights(
  config: ModelConfig,
  seed: number,
  spread: InitialSpread,
): Map<string, NamedArray> {
  const { deviation, embeddingDeviation = deviation, scaledResiduals = false } = spread;
  if (!(deviation > 0 && embeddingDeviation > 0)) {
    throw new Error(
      `initialWeights: expected deviations above 0, got ${deviation} and ${embeddingDeviation} for embeddings`,
    );
  }
  const residual = scaledResiduals ? deviation / Math.sqrt(2 * config.layers) : deviation;
  const deviationOf = (name: string) => {
    if (name === 'model.embed_tokens.weight') return embeddingDeviation;
    return /\.(o_proj|down_proj)\./.test(name) ? residual : deviation;
  };
  const weights = new Map<string, NamedArray>();
  for (const [name, shape] of tensorShapes(config)) {
    const size = shape.reduce((product, axis) => product * axis, 1);
    const draws = () => randomStream(seed, `init/${name}`).normal(size);
    const data = name.endsWith('norm.weight')
      ? new Float32Array(size).fill(1)
      : name.endsWith('.bias')
        ? new Float32Array(size)
        : draws().map((x) => x * deviationOf(name));
    weights.set(name, { shape, data });
  }
  return weights;
}

/** Arrays as tensors on the current backend; the caller disposes them. */
export function parametersFrom(weights: ReadonlyMap<string, NamedArray>): Map<string, tf.Tensor> {
  return new Map(
    [...weights].map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape], 'float32')]),
  );
}

/** Tensors as arrays, for files. */
export function weightsOf(parameters: Parameters): Map<string, NamedArray> {
  return new Map(
    [...parameters].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) },
    ]),
  );
}

/** Disposes every tensor. */
export function disposeParameters(parameters: Parameters): void {
  for (const tensor of parameters.values()) tensor.dispose();
}

/**
 * One tensor by name.
 *
 * @throws if the model has no tensor of that name.
 */
export function parameter<T extends tf.Tensor>(parameters: Parameters, name: string): T {
  const tensor = parameters.get(name);
  if (!tensor) throw new Error(`parameter: expected a tensor named ${name}, got ${parameters.size} others`);
  return tensor as T;
}

/** The input embedding table E, float32 [V, D]. */
export function inputTable(parameters: Parameters): tf.Tensor2D {
  return parameter(parameters, 'model.embed_tokens.weight');
}

/** The output table W, float32 [V, D]: the LM head, or the input table where they are tied. */
export function outputTable(config: ModelConfig, parameters: Parameters): tf.Tensor2D {
  return config.tiedEmbeddings ? inputTable(parameters) : parameter(parameters, 'lm_head.weight');
}
