import { closeSync, fstatSync, openSync } from 'node:fs';
import { checkModelConfig, type ModelConfig } from '../config.js';
import type { NamedArray } from './named-array.js';
import { readAt } from './read-at.js';
import { tensorShapes } from './tensor-shapes.js';

const HEADER_INTEGERS = 7;
const HEADER_BYTES = HEADER_INTEGERS * 4;
const VERSIONED_MAGIC = 0x616b3432; // "ak42": version 1 and later, another layout

/**
 * Reads a llama2.c checkpoint (legacy float32 export: `llama_model` in run.c of karpathy/llama2.c).
 * Tensors get Hugging Face's names; the query and key rows, stored for interleaved RoPE (pairs 2i, 2i+1),
 * are permuted to the half-split RoPE that is used here (pairs i, i + headWidth / 2).
 * @throws If the file is missing, or shorter than its header.
 * @throws If the header is of a versioned export, or its sizes do not fit together.
 * @throws If the file's length is not the one that the header implies.
 */
export function readLlama2c(file: string): { config: ModelConfig; weights: Map<string, NamedArray> } {
  const descriptor = openFile(file);
  try {
    return readTensors(descriptor, readConfig(descriptor, file));
  } finally {
    closeSync(descriptor);
  }
}

function readTensors(
  descriptor: number,
  config: ModelConfig,
): { config: ModelConfig; weights: Map<string, NamedArray> } {
  const { layers, headWidth } = config;
  const shapes = tensorShapes(config);
  const weights = new Map<string, NamedArray>();
  let offset = HEADER_BYTES;
  const take = (name: string): void => {
    const shape = shapes.get(name)!;
    const data = new Float32Array(valuesOf(shape));
    readAt(descriptor, new Uint8Array(data.buffer), offset);
    offset += data.byteLength;
    const isRotated = /\.[qk]_proj\.weight$/.test(name);
    weights.set(name, isRotated ? halfSplitRows({ shape, data }, headWidth) : { shape, data });
  };
  const takeLayers = (name: string): void => {
    for (let layer = 0; layer < layers; layer++) take(`model.layers.${layer}.${name}.weight`);
  };
  take('model.embed_tokens.weight');
  takeLayers('input_layernorm');
  takeLayers('self_attn.q_proj');
  takeLayers('self_attn.k_proj');
  takeLayers('self_attn.v_proj');
  takeLayers('self_attn.o_proj');
  takeLayers('post_attention_layernorm');
  takeLayers('mlp.gate_proj'); // w1
  takeLayers('mlp.down_proj'); // w2
  takeLayers('mlp.up_proj'); // w3
  take('model.norm.weight');
  offset += 4 * ropeTableValues(config);
  if (!config.tiedEmbeddings) take('lm_head.weight');
  return { config, weights };
}

/** The cosines and sines in the file, which are computed here. */
function ropeTableValues({ maxPositions, headWidth }: ModelConfig): number {
  return maxPositions * headWidth;
}

function valuesOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Reorders the output rows of a query or key map from interleaved to half-split RoPE.
 * Within each head, rows 0, 1, 2, 3, ... become 0, 2, 4, ..., 1, 3, 5, ...
 * @param array `[heads * headWidth, width]`, or a bias `[heads * headWidth]`.
 */
export function halfSplitRows(array: NamedArray, headWidth: number): NamedArray {
  const [rows = 0, width = 1] = array.shape;
  const data = new Float32Array(array.data.length);
  for (let row = 0; row < rows; row++) {
    const inHead = row % headWidth;
    const from = row - inHead + (inHead < headWidth / 2 ? 2 * inHead : 2 * inHead - headWidth + 1);
    data.set(array.data.subarray(from * width, (from + 1) * width), row * width);
  }
  return { shape: array.shape, data };
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new Error(`readLlama2c: expected the file ${file}, got ${(error as NodeJS.ErrnoException).code}`);
  }
}

function readConfig(descriptor: number, file: string): ModelConfig {
  const fileBytes = fstatSync(descriptor).size;
  if (fileBytes < HEADER_BYTES) {
    throw new Error(
      `readLlama2c: expected a header of ${HEADER_BYTES} bytes in ${file}, got ${fileBytes} bytes`,
    );
  }
  const header = new Int32Array(HEADER_INTEGERS);
  readAt(descriptor, new Uint8Array(header.buffer), 0);
  if (header[0] === VERSIONED_MAGIC) {
    throw new Error(`readLlama2c: expected a legacy float32 export in ${file}, got version ${header[1]}`);
  }
  const [width, feedForwardWidth, layers, heads, keyValueHeads, signedVocabularySize, maxPositions] =
    header as unknown as [number, number, number, number, number, number, number];
  const config: ModelConfig = {
    architecture: 'llama',
    vocabularySize: Math.abs(signedVocabularySize),
    width,
    layers,
    heads,
    keyValueHeads,
    headWidth: width / heads,
    feedForwardWidth,
    ropeBase: 10000,
    normEpsilon: 1e-5,
    tiedEmbeddings: signedVocabularySize > 0, // a negative size announces a head of its own
    maxPositions,
  };
  checkModelConfig(config, file);
  const values = [...tensorShapes(config).values()].reduce((sum, shape) => sum + valuesOf(shape), 0);
  const expectedBytes = HEADER_BYTES + 4 * (values + ropeTableValues(config));
  if (fileBytes !== expectedBytes) {
    throw new Error(
      `readLlama2c: expected ${expectedBytes} bytes in ${file} by its header, got ${fileBytes}`,
    );
  }
  return config;
}
