import { randomStream } from '@latent-sft/random';
import { attentionMask, countTensors, embedding } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { causalRanges } from '../src/forward/causal-ranges.js';
import { DecodingBatch } from '../src/generation/decoding-batch.js';
import { promptRows } from '../src/generation/prompt-rows.js';
import {
  decoderStates,
  disposeParameters,
  initialLora,
  LORA_TARGETS,
  type ModelConfig,
  type NamedArray,
  type Parameters,
  parametersFrom,
  positionTable,
  withAdapter,
} from '../src/index.js';
import { inputTable } from '../src/parameters/parameters.js';
import { engines } from './engines.js';
import { tinyConfig, tinyConfigs, tinyWeights } from './tiny-model.js';

/** Words of the prompts, one of them alone, and of the steps after them. */
const PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6, 5, 3, 5, 8, 9], [7, 9]];
const STEPS = [1, 8, 2];

/** States of a row in one pass without a cache, [T][D]. */
function statesAlone(config: ModelConfig, parameters: Parameters, ids: readonly number[]): number[][] {
  return tf.tidy(() => {
    const length = ids.length;
    const words = embedding(inputTable(parameters), tf.tensor1d([...ids], 'int32'));
    const states = decoderStates({
      config,
      parameters,
      inputs: tf.reshape(words, [1, length, config.width]),
      positions: positionTable(
        config,
        Int32Array.from(ids, (_, i) => i),
        [1, length],
      ),
      mask: attentionMask(causalRanges([length], length), { batch: 1, queries: length, keys: length }),
    });
    return (states.arraySync() as number[][][])[0]!;
  });
}

function expectClose(actual: tf.Tensor2D, expected: readonly (readonly number[])[], what: string): void {
  const rows = actual.arraySync() as number[][];
  rows.forEach((row, i) => {
    const worst = Math.max(...row.map((x, j) => Math.abs(x - expected[i]![j]!)));
    expect(worst, `${what}, row ${i}`).toBeLessThan(2e-5);
  });
  expect(rows.length).toBe(expected.length);
}

describe.each(engines)('prefill on %s', (engine) => {
  let packed = false;
  beforeAll(async () => {
    const { fused } = await selectEngine(engine);
    packed = fused !== null;
  });

  function check(
    config: ModelConfig,
    { adapters = false, asVectors = false }: { adapters?: boolean; asVectors?: boolean } = {},
  ): void {
    const before = countTensors();
    const base = parametersFrom(tinyWeights(config, 5));
    const moving = parametersFrom(adapters ? adapterFor(config) : new Map());
    const scale = tf.scalar(0.1);
    const parameters = adapters ? withAdapter(base, moving, scale) : base;
    const batch = new DecodingBatch(config, parameters, null, null);
    const table = tf.tidy(() => inputTable(parameters).arraySync() as number[][]);
    const inputs = PROMPTS.map((prompt, row) =>
      // two prompts as vectors, where asked for, between words
      asVectors && row % 2 === 0
        ? prompt.map((id, i) => (i % 2 === 1 ? Float32Array.from(table[id]!) : id))
        : prompt,
    );
    const whole = PROMPTS.map((prompt) => statesAlone(config, parameters, [...prompt, ...STEPS]));
    const held = countTensors();
    let states = batch.prefill(inputs);
    expect(countTensors()).toBe(held + 1 + 2 * config.layers);
    expectClose(
      states,
      PROMPTS.map(({ length }, row) => whole[row]![length - 1]!),
      'prompt',
    );
    STEPS.forEach((id, step) => {
      states.dispose();
      states = batch.step(
        PROMPTS.map(() => ({ kind: 'token', id })),
        null,
      );
      expectClose(
        states,
        PROMPTS.map(({ length }, row) => whole[row]![length + step]!),
        `step ${step}`,
      );
    });
    states.dispose();
    batch.dispose();
    disposeParameters(base);
    disposeParameters(moving);
    scale.dispose();
    expect(countTensors()).toBe(before);
  }

  it.each(tinyConfigs.map((config, i) => [config.architecture, i] as const))(
    'of rows of several lengths equals each alone, and the steps after it (%s, %i)',
    (_, i) => check({ ...tinyConfigs[i]!, maxPositions: 32 }),
  );

  it('takes vectors among words', () => check(tinyConfig, { asVectors: true }));

  it('with adapters that are not merged', () => check(tinyConfig, { adapters: true }));

  it('puts no padding between prompts where attention walks ranges', () => {
    const { shape, ids, positions, last } = promptRows(PROMPTS);
    if (packed) {
      expect(shape).toEqual([1, 15]);
      expect([...ids]).toEqual(PROMPTS.flat());
      expect([...positions]).toEqual(PROMPTS.flatMap((prompt) => prompt.map((_, i) => i)));
      expect(last).toEqual([4, 5, 12, 14]);
    } else {
      expect(shape).toEqual([4, 7]);
      expect(last).toEqual([4, 7, 20, 22]);
    }
  });
});

/** Adapters of random numbers on all maps. */
function adapterFor(config: ModelConfig): Map<string, NamedArray> {
  const targets = LORA_TARGETS.filter((target) => target !== 'embed_tokens');
  const adapter = initialLora(config, { rank: 3, alpha: 6, targets }, 4, 'prefill');
  return new Map(
    [...adapter].map(([name, { shape, data }]) => [
      name,
      { shape, data: randomStream(5, name).normal(data.length) },
    ]),
  );
}
