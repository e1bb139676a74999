import type { ModelConfig } from '../config.js';
import type { NamedArray } from '../weights/named-array.js';
import { checkTensors, checkWeights } from '../weights/tensor-shapes.js';
import { fromGpt2, gpt2Name, gpt2Tensors, isGpt2Mask, toGpt2 } from './gpt2-tensors.js';

/**
 * The tensors of a Hugging Face file under our names (llama's, linear maps [out, in]).
 * @param origin For messages.
 * @throws If a tensor is missing, has another shape, or is one that the forward pass would not use.
 */
export function fromHuggingFace(
  config: ModelConfig,
  tensors: ReadonlyMap<string, NamedArray>,
  origin: string,
): Map<string, NamedArray> {
  if (config.architecture !== 'gpt2') return checkWeights(config, tensors, origin);
  const named = new Map<string, NamedArray>();
  for (const [name, array] of tensors) {
    if (!isGpt2Mask(gpt2Name(name))) named.set(gpt2Name(name), array);
  }
  const shapes = new Map(gpt2Tensors(config).map(({ name, shape }) => [name, shape]));
  return fromGpt2(config, checkTensors('a gpt2 model', shapes, named, origin));
}

/**
 * A model's tensors as Hugging Face's class of its architecture names and lays them out.
 * @param origin For messages.
 * @throws If the weights are not those of the config.
 */
export function toHuggingFace(
  config: ModelConfig,
  weights: ReadonlyMap<string, NamedArray>,
  origin: string,
): Map<string, NamedArray> {
  const checked = checkWeights(config, weights, origin);
  return config.architecture === 'gpt2' ? toGpt2(config, checked) : checked;
}
