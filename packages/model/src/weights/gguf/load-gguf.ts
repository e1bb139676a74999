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
 * @throws If the tensors are not those of the model, or one of them is there twice.
 */
export async function loadGguf(
  file: string,
): Promise<{ config: ModelConfig; weights: Map<string, NamedArray> }> {
  const header = await readGgufHeader(file);
  const config = ggufModelConfig(header, rotaryFactors(header, file), file);
  const wanted = header.tensors.filter(({ name }) => name !== ROTARY_FACTORS);
  const weights = new Map<string, NamedArray>();
  for (const [ggufName, array] of readGgufTensors(file, header, wanted)) {
    for (const [name, part] of ownTensors(ggufName, array, config)) {
      if (weights.has(name)) {
        throw new Error(
          `loadModel: expected one tensor for "${name}" in ${file}, got another, "${ggufName}"`,
        );
      }
      weights.set(name, part);
    }
  }
  return { config, weights: checkWeights(config, weights, file) };
}

function rotaryFactors(header: GgufHeader, file: string): Float32Array | undefined {
  const found = header.tensors.filter(({ name }) => name === ROTARY_FACTORS);
  return readGgufTensors(file, header, found).get(ROTARY_FACTORS)?.data;
}

/** What a tensor is here: itself by our name, or the parts of a fused map. */
function ownTensors(ggufName: string, array: NamedArray, config: ModelConfig): [string, NamedArray][] {
  const name = nameOfGgufTensor(ggufName) ?? ggufName;
  const isFused = config.architecture === 'gpt2' && array.shape[0] === 3 * config.width;
  if (isFused && name.includes('.self_attn.qkv_proj.')) return fusedParts(name, array, config.width);
  // llama.cpp keeps llama's query and key rows for interleaved RoPE; those of other models stay as they were.
  const isPermuted = config.architecture === 'llama' && /\.self_attn\.[qk]_proj\./.test(name);
  return [[name, isPermuted ? halfSplitRows(array, config.headWidth) : array]];
}

/** The query, key and value parts of a fused map [3 D, D] or its bias [3 D]. */
function fusedParts(name: string, { shape, data }: NamedArray, width: number): [string, NamedArray][] {
  const length = data.length / 3;
  return ['q_proj', 'k_proj', 'v_proj'].map((part, index) => [
    name.replace('qkv_proj', part),
    { shape: [width, ...shape.slice(1)], data: data.slice(index * length, (index + 1) * length) },
  ]);
}
