import { closeSync, openSync } from 'node:fs';
import { type GgufTensorInfo, readGgufHeader } from '@latent-sft/model-files';
import type { ModelConfig } from '../../config.js';
import { halfSplitRows } from '../llama2c.js';
import type { NamedArray } from '../named-array.js';
import { readAt } from '../read-at.js';
import { checkWeights } from '../tensor-shapes.js';
import { ggufModelConfig } from './config.js';
import { dequantise } from './dequantise.js';
import { nameOfGgufTensor } from './tensor-names.js';

/**
 * Loads a GGUF model; quantised tensors become float32.
 * @throws If the header is malformed (see `readGgufHeader`), or its model is not one that is computed here.
 * @throws If the tensors are not those of the model.
 */
export async function loadGguf(
  file: string,
): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  const header = await readGgufHeader(file);
  const config = ggufModelConfig(header, file);
  const weights = new Map<string, NamedArray>();
  const descriptor = openSync(file, 'r');
  try {
    for (const tensor of header.tensors) {
      const name = nameOfGgufTensor(tensor.name) ?? tensor.name;
      const array = readTensor(descriptor, tensor, header.dataOffset, file);
      weights.set(name, config.architecture === 'llama' ? unpermuted(name, array, config.headWidth) : array);
    }
  } finally {
    closeSync(descriptor);
  }
  return { config, weights: checkWeights(config, weights, file) };
}

function readTensor(
  descriptor: number,
  tensor: GgufTensorInfo,
  dataOffset: number,
  file: string,
): NamedArray {
  const { name, shape, type, offset, sizeBytes } = tensor;
  try {
    const bytes = new Uint8Array(sizeBytes);
    readAt(descriptor, bytes, dataOffset + offset);
    const valueCount = shape.reduce((product, length) => product * length, 1);
    return { shape, data: dequantise(type, bytes, valueCount) };
  } catch (error) {
    throw new Error(
      `loadModel: expected to read tensor "${name}" [${shape.join(', ')}] in ${file}, got ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** llama.cpp keeps llama's query and key rows for interleaved RoPE; those of other models stay as they were. */
function unpermuted(name: string, array: NamedArray, headWidth: number): NamedArray {
  if (!/\.self_attn\.[qk]_proj\./.test(name)) return array;
  return halfSplitRows(array, headWidth);
}
