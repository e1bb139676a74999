import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { exampleRows } from '@latent-sft/data';
import { causalRanges, type NamedArray, writeSafetensors } from '@latent-sft/model';
import { randomStream } from '@latent-sft/random';
import { decoderLayout, segmentByRate, sizesOf } from '@latent-sft/segmentation';
import { blockInputs } from './kernel-block-inputs.js';
import type { KernelSize } from './kernel-sizes.js';
import { SUPPORT } from './make-examples.js';

/** Adds one input: standard normal numbers, small ones, or as it is told. */
export type PutInput = (
  name: string,
  shape: readonly number[],
  make: 'normal' | 'small' | ((label: string, size: number) => Float32Array),
) => void;

/** Chain tokens of a latent in the mask of one example. */
const RATE = 2;

/** Raised when the same sizes come to mean other inputs. */
const FORM = 3;

/**
 * Writes the inputs of every kernel, `<case>/<input>`, as float32, ids and limits too; `dy` is the gradient of the
 * output. Normal numbers, probabilities as softmax; the same seed gives the same file.
 *
 * @returns the file
 */
export function kernelInputs(size: KernelSize, seed: number, cache: string): string {
  const key = createHash('sha256').update(JSON.stringify([FORM, size, seed]));
  const file = join(cache, `kernels-${size.name}-${key.digest('hex').slice(0, 16)}.safetensors`);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeSafetensors(draft, makeInputs(size, seed));
  renameSync(draft, file);
  return file;
}

function makeInputs(size: KernelSize, seed: number): Map<string, NamedArray> {
  const inputs = new Map<string, NamedArray>();
  const { width, feedForwardWidth, vocabularySize, heads, keyValueHeads, headWidth } = size;
  const { rows, vocabularyRows: few, keys, parameters } = size;
  const normal = (label: string, size: number) => randomStream(seed, label).normal(size);
  const small = (label: string, size: number) => normal(label, size).map((x) => 0.02 * x);
  const squares = (label: string, size: number) => normal(label, size).map((x) => 1e-4 * x * x);
  const words = (label: string, size: number) =>
    randomStream(seed, label)
      .uniform(size)
      .map((u) => Math.floor(u * vocabularySize));
  const rowNumbers = (label: string, size: number) =>
    Float32Array.from(randomStream(seed, label).permutation(rows).slice(0, size));

  const put: PutInput = (name, shape, make) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    const made = make === 'normal' ? normal : make === 'small' ? small : make;
    inputs.set(name, { shape, data: made(name, count) });
  };

  for (const [name, ranges] of [
    ['attention-causal', causalRanges([keys], keys)],
    ['attention-ltsum', ltsumRanges(keys)],
  ] as const) {
    const length = ranges.length / 6;
    put(`${name}/query`, [1, length, heads, headWidth], normal);
    put(`${name}/key`, [1, length, keyValueHeads, headWidth], normal);
    put(`${name}/value`, [1, length, keyValueHeads, headWidth], normal);
    put(`${name}/dy`, [1, length, heads, headWidth], normal);
    put(`${name}/ranges`, [length, 6], () => Float32Array.from(ranges));
  }
  put('rms-norm/x', [rows, width], normal);
  put('rms-norm/weight', [width], normal);
  put('rms-norm/dy', [rows, width], normal);
  put('rotary/x', [1, rows, heads, headWidth], normal);
  put('rotary/dy', [1, rows, heads, headWidth], normal);
  put('swiglu/gate', [rows, feedForwardWidth], normal);
  put('swiglu/up', [rows, feedForwardWidth], normal);
  put('swiglu/dy', [rows, feedForwardWidth], normal);
  put('adapted-linear/x', [rows, width], normal);
  put('adapted-linear/weight', [feedForwardWidth, width], small);
  put('adapted-linear/lower', [64, width], small);
  put('adapted-linear/raise', [feedForwardWidth, 64], small);
  put('adapted-linear/dy', [rows, feedForwardWidth], normal);
  put('cross-entropy/logits', [few, vocabularySize], normal);
  put('cross-entropy/targets', [few], words);
  put('cross-entropy/dy', [few], normal);
  put('full-kl/logits', [few, vocabularySize], normal);
  put('full-kl/probabilities', [few, vocabularySize], (label, size) =>
    softmax(normal(label, size), vocabularySize),
  );
  put('full-kl/dy', [few], normal);
  put('sparse-kl/logits', [few, vocabularySize], normal);
  put('sparse-kl/ids', [few, SUPPORT], (label) => distinctWords(label, few, vocabularySize, seed));
  put('sparse-kl/probabilities', [few, SUPPORT], (label, size) => softmax(normal(label, size), SUPPORT));
  put('sparse-kl/dy', [few], normal);
  put('mixture/alpha', [few, SUPPORT], (label, size) => softmax(normal(label, size), SUPPORT));
  put('mixture/ids', [few, SUPPORT], words);
  put('mixture/table', [vocabularySize, width], small);
  put('mixture/dy', [few, width], normal);
  put('embedding/table', [vocabularySize, width], small);
  put('embedding/ids', [rows], words);
  put('embedding/dy', [rows, width], normal);
  put('gather-rows/x', [rows, width], normal);
  put('gather-rows/selection', [few], rowNumbers);
  put('gather-rows/dy', [few, width], normal);
  put('scatter-rows/base', [rows, width], normal);
  put('scatter-rows/values', [few, width], normal);
  put('scatter-rows/selection', [few], rowNumbers);
  put('scatter-rows/dy', [rows, width], normal);
  for (const name of ['adam-w', 'adam-w-clipped']) {
    put(`${name}/weights`, [parameters], small);
    put(`${name}/gradient`, [parameters], normal);
    put(`${name}/mean`, [parameters], small);
    put(`${name}/variance`, [parameters], squares);
  }
  for (const name of ['head-cross-entropy', 'head-sparse-kl']) {
    put(`${name}/hidden`, [few, width], normal);
    put(`${name}/table`, [vocabularySize, width], small);
    put(`${name}/dy`, [few], normal);
  }
  put('head-cross-entropy/targets', [few], words);
  put('head-sparse-kl/ids', [few, SUPPORT], (label) => distinctWords(label, few, vocabularySize, seed));
  put('head-sparse-kl/probabilities', [few, SUPPORT], (label, count) =>
    softmax(normal(label, count), SUPPORT),
  );
  put('top-words/logits', [few, vocabularySize], normal);
  put('head-top-words/hidden', [few, width], normal);
  put('head-top-words/table', [vocabularySize, width], small);
  blockInputs(put, size);
  return inputs;
}

/** Key ranges of one decoder row of about `keys` tokens: a third of it the prompt, the rest latents and segments. */
function ltsumRanges(keys: number): Int32Array {
  const words = (count: number) => Array.from({ length: count }, () => 1);
  const prompt = Math.floor(keys / 3);
  const example = {
    prompt: words(prompt),
    think: words(1),
    segments: segmentByRate(words(Math.floor((2 * (keys - prompt)) / 3)), RATE),
    end: words(1),
    answer: words(2),
  };
  return exampleRows(decoderLayout(sizesOf(example)), example, { mask: 'ltsum', latentId: 0 }).ranges;
}

function softmax(values: Float32Array, width: number): Float32Array {
  const powers = values.map(Math.exp);
  for (let start = 0; start < powers.length; start += width) {
    const row = powers.subarray(start, start + width);
    const total = row.reduce((sum, power) => sum + power, 0);
    row.set(row.map((power) => power / total));
  }
  return powers;
}

function distinctWords(label: string, rows: number, vocabulary: number, seed: number): Float32Array {
  const ids = new Float32Array(rows * SUPPORT);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(randomStream(seed, label, row).uniform(1)[0]! * vocabulary);
    // a step that shares no factor with 37, 1013 or 49152 meets no word twice
    for (let i = 0; i < SUPPORT; i++) ids[row * SUPPORT + i] = (first + i * 4099) % vocabulary;
  }
  return ids;
}
