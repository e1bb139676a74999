import { type GgufHeader, readGgufHeader } from '@latent-sft/model-files';
import type { ModelConfig } from '../../config.js';
import { halfSplitRows } from '../llama2c.js';
import type { NamedArray } from '../named-array.js';
import { checkWeights } from '../tensor-shapes.js';
import { ggufModelConfig } from './config.js';
import { readGgufTensors } from './read-gguf.js';
import { nameOfGgufTensor } from './tensor-names.js';

const ROTARY_FACTORS = 'rope_freqs.weight';

/**
 * Loads a GGUF model; quantised tensors become float32.
 * @throws If the header is malformed (see `readGgufHeader`), or its model is not one that is computed here.
 * @throws If the tensors are not those of the model.
 */
export async function loadGguf(
  file: string,
): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  const header = await readGgufHeader(file);
  const config = ggufModelConfig(header, rotaryFactors(header, file), file);
  const wanted = header.tensors.filter(({ name }) => name !== ROTARY_FACTORS);
  const weights = new Map<string, NamedArray>();
  for (const [ggufName, array] of readGgufTensors(file, header, wanted)) {
    const name = nameOfGgufTensor(ggufName) ?? ggufName;
    if (/\.self_attn\.qkv_proj\./.test(name)) {
      for (const [own, part] of splitFused(name, array, config)) weights.set(own, part);
    } else {
      weights.set(name, config.architecture === 'llama' ? unpermuted(name, array, config.headWidth) : array);
    }
  }
  return { config, weights: checkWeights(config, weights, file) };
}

function rotaryFactors(header: GgufHeader, file: string): Float32Array | undefined {
  const found = header.tensors.filter(({ name }) => name === ROTARY_FACTORS);
  return readGgufTensors(file, header, found).get(ROTARY_FACTORS)?.data;
}

/** llama.cpp keeps llama's query and key rows for interleaved RoPE; those of other models stay as they were. */
function unpermuted(name: string, array: NamedArray, headWidth: number): NamedArray {
  return /\.self_attn\.[qk]_proj\./.test(name) ? halfSplitRows(array, headWidth) : array;
}

/** The query, key and value parts of a fused map [3 D, D] or its bias [3 D]. */
function splitFused(name: string, array: NamedArray, { width }: ModelConfig): Map<string, NamedArray> {
  const [rows = 0, ...rest] = array.shape;
  if (rows !== 3 * width) return new Map([[name, array]]); // checkWeights names it
  const partLength = array.data.length / 3;
  return new Map(
    ['q_proj', 'k_proj', 'v_proj'].map((part, index) => [
      name.replace('qkv_proj', part),
      {
        shape: [width, ...rest],
        data: array.data.slice(index * partLength, (index + 1) * partLength),
      },
    ]),
  );
}
