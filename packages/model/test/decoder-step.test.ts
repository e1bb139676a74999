import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecodingBatch } from '../src/generation/decoding-batch.js';
import {
  type DecoderWeights,
  decoderWeights,
  disposeParameters,
  type GenerationSettings,
  generate,
  type ModelConfig,
  type NamedArray,
  type Parameters,
  parametersFrom,
} from '../src/index.js';
import { tinyConfig, tinyWeights } from './tiny-model.js';

const fused = await selectEngine('tensorflow').then(
  ({ fused }) => fused !== null,
  () => false,
);

/** Shapes with odd sizes, where packed rows end within a word. */
const shapes: Readonly<Record<string, ModelConfig>> = {
  tiny: tinyConfig,
  odd: {
    ...tinyConfig,
    width: 19,
    feedForwardWidth: 37,
    heads: 6,
    keyValueHeads: 2,
    headWidth: 10,
    layers: 3,
  },
  wide: { ...tinyConfig, width: 64, feedForwardWidth: 96, heads: 4, keyValueHeads: 4, headWidth: 16 },
};

/** Weights that keep the rows' size from layer to layer, so that rounding is not blown up by sharp attention. */
function weightsFor(config: ModelConfig): Map<string, NamedArray> {
  const factor = Math.sqrt(tinyConfig.width / config.width);
  return new Map(
    [...tinyWeights(config, 7)].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.endsWith('norm.weight') ? data : data.map((x) => x * factor) },
    ]),
  );
}

/** The same model, whose step is composed because of a bias of zeros. */
function composed(parameters: Parameters, config: ModelConfig): Map<string, tf.Tensor> {
  const bias = tf.zeros([config.heads * config.headWidth]);
  return new Map([...parameters, ['model.layers.0.self_attn.q_proj.bias', bias]]);
}

/** States of a prompt and the steps after it; the rows that end leave half way. */
function statesOf(
  config: ModelConfig,
  parameters: Parameters,
  weights: DecoderWeights | null,
  rows: number,
  steps: number,
): number[][] {
  const batch = new DecodingBatch(config, parameters, weights, null);
  const prompts = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: 1 + (row % 5) }, (_, i) => (row * 3 + i) % config.vocabularySize),
  );
  const seen: number[][] = [];
  let live = rows;
  try {
    tf.dispose(batch.prefill(prompts));
    for (let step = 0; step < steps; step++) {
      if (step === 5 && live > 2) {
        const kept = Array.from({ length: live }, (_, row) => row).filter((row) => row % 3 !== 1);
        batch.keepRows(kept);
        live = kept.length;
      }
      // one row ends before the others
      const feeds = Array.from({ length: live }, (_, row) =>
        row === 1 && step > 3 ? null : { kind: 'token' as const, id: (row + step) % config.vocabularySize },
      );
      const states = batch.step(feeds, null);
      const kept = tf.tidy(() =>
        live > 1 && step > 3 ? tf.slice(states, [0, 0], [1, -1]) : tf.clone(states),
      );
      seen.push([...kept.dataSync()]);
      tf.dispose([states, kept]);
    }
  } finally {
    batch.dispose();
  }
  return seen;
}

describe.skipIf(!fused)('a decoding step as one operation', () => {
  describe.each(Object.entries(shapes))('%s', (_, config) => {
    let parameters: Parameters;
    let other: Map<string, tf.Tensor>;
    beforeAll(async () => {
      await selectEngine('tensorflow');
      parameters = parametersFrom(weightsFor(config));
      other = composed(parameters, config);
    });
    afterAll(() => {
      disposeParameters(parameters);
      other.get('model.layers.0.self_attn.q_proj.bias')!.dispose();
    });

    it.each([1, 2, 33])('equals the composition, batch %i, through growth of the cache', (rows) => {
      const before = countTensors();
      expect(decoderWeights(config, other, 'float32')).toBeNull();
      const weights = decoderWeights(config, parameters, 'float32')!;
      expect(weights.sizeBytes).toBe(0);
      const steps = rows === 33 ? 12 : 140;
      const expected = statesOf(config, parameters, null, rows, steps);
      const actual = statesOf(config, parameters, weights, rows, steps);
      actual.forEach((states, step) => {
        expect(worst(states, expected[step]!), `step ${step}`).toBeLessThan(1e-5);
      });
      weights.dispose();
      expect(countTensors()).toBe(before);
    });

    // few rows, columns, columns that fill their vectors, and more than one step takes
    it.each([1, 15, 21, 64, 260])('runs a prompt of %i tokens and the steps after it', (length) => {
      const before = countTensors();
      const weights = decoderWeights(config, parameters, 'float32')!;
      const prompt = Array.from({ length }, (_, i) => (i * 5) % config.vocabularySize);
      const [expected, actual] = [null, weights].map((exact) => {
        const batch = new DecodingBatch(config, parameters, exact, exact);
        const states = [batch.prefill([prompt])];
        for (const id of [1, 2]) states.push(batch.step([{ kind: 'token', id }], null));
        const seen = states.map((state) => [...state.dataSync()]);
        tf.dispose(states);
        batch.dispose();
        return seen;
      });
      actual!.forEach((states, step) => {
        expect(worst(states, expected![step]!), `step ${step}`).toBeLessThan(1e-5);
      });
      weights.dispose();
      expect(countTensors()).toBe(before);
    });

    it.each([
      ['bfloat16', 0.03],
      ['int8', 0.06],
    ] as const)('is near the same in %s, and gives its memory back', (format, limit) => {
      const before = countTensors();
      const weights = decoderWeights(config, parameters, format)!;
      const floats = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
      expect(weights.sizeBytes).toBeGreaterThan(0);
      // narrow rows are padded to whole blocks of words
      if (config.width >= 64) expect(weights.sizeBytes).toBeLessThan(0.6 * 4 * floats);
      const expected = statesOf(config, parameters, null, 5, 12);
      const actual = statesOf(config, parameters, weights, 5, 12);
      const apart = expected.map((states, step) => meanApart(actual[step]!, states));
      expect(Math.max(...apart)).toBeLessThan(limit);
      weights.dispose();
      expect(countTensors()).toBe(before);
    });

    it('answers with the same words, latents and stops', () => {
      const settings: GenerationSettings = {
        ...{ mode: 'latent', end: [7, 8], eos: 10, maxLatents: 5, maxTokens: 9 },
        mixture: { support: 'full', temperature: 1 },
        sampling: { kind: 'greedy' },
        ...{ traceSize: 3, traceVectors: true },
      };
      const requests = Array.from({ length: 9 }, (_, row) => ({
        prompt: Array.from({ length: 1 + (row % 4) }, (_, i) => (row + i) % 11),
      }));
      const actual = generate(config, parameters, requests, settings);
      const expected = generate(config, other, requests, settings);
      actual.forEach((row, i) => {
        expect(row.tokens).toEqual(expected[i]!.tokens);
        expect([row.latentCount, row.latentStop]).toEqual([
          expected[i]!.latentCount,
          expected[i]!.latentStop,
        ]);
        row.latents.forEach((latent, j) => {
          const vector = expected[i]!.latents[j]!.vector!;
          expect(worst([...latent.vector!], [...vector])).toBeLessThan(1e-5);
        });
      });
    });
  });
});

/** Largest difference, of 1 + the number that is expected. */
function worst(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...actual.map((x, i) => Math.abs(x - expected[i]!) / (1 + Math.abs(expected[i]!))));
}

function meanApart(actual: readonly number[], expected: readonly number[]): number {
  return actual.reduce((sum, x, i) => sum + Math.abs(x - expected[i]!), 0) / actual.length;
}
