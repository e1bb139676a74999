import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { disposeParameters, type NamedArray, parametersFrom, scoreTokens } from '../src/index.js';
import { engines } from './engines.js';
import { tinyConfig, tinyWeights } from './tiny-model.js';

const IDS = [3, 10, 0, 7, 7, 2];
const RANK = 3;
const SCALE = 0.5;
const MAPS = ['self_attn.q_proj', 'self_attn.o_proj', 'mlp.gate_proj', 'mlp.down_proj'].map(
  (name) => `model.layers.1.${name}`,
);

const wave = (shape: readonly [number, number], phase: number): NamedArray => ({
  shape,
  data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(phase + 1.7 * i) / 2),
});

describe.each(engines)('linear maps on %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  it('add an adapter as if it were in the weight', () => {
    const base = tinyWeights();
    const merged = new Map(base);
    const adapted = new Map(base);
    MAPS.forEach((map, phase) => {
      const { shape, data } = base.get(`${map}.weight`)!;
      const [output, input] = shape as [number, number];
      const lowered = wave([RANK, input], phase);
      const raised = wave([output, RANK], phase + 10);
      adapted.set(`${map}.lora_A.weight`, lowered).set(`${map}.lora_B.weight`, raised);
      const sum = data.map((value, place) => {
        const row = Math.floor(place / input);
        let product = 0;
        for (let r = 0; r < RANK; r++) {
          product += raised.data[row * RANK + r]! * lowered.data[r * input + (place % input)]!;
        }
        return value + SCALE * product;
      });
      merged.set(`${map}.weight`, { shape, data: sum });
    });
    const withAdapter = parametersFrom(adapted).set('lora_scale', tf.scalar(SCALE));
    const withSum = parametersFrom(merged);
    const withBase = parametersFrom(base);
    const scores = scoreTokens(tinyConfig, withAdapter, IDS);
    scoreTokens(tinyConfig, withSum, IDS).forEach((expected, t) => {
      expect(Math.abs(scores[t]! - expected), `token ${t + 1}`).toBeLessThan(1e-4);
    });
    expect(Math.abs(scores[2]! - scoreTokens(tinyConfig, withBase, IDS)[2]!)).toBeGreaterThan(0.01);
    for (const parameters of [withAdapter, withSum, withBase]) disposeParameters(parameters);
  });

  it('add a bias where there is one', () => {
    const weights = tinyWeights();
    const plain = parametersFrom(weights);
    const without = scoreTokens(tinyConfig, plain, IDS);
    const map = 'model.layers.0.self_attn.k_proj';
    const width = weights.get(`${map}.weight`)!.shape[0]!;
    for (const [value, changes] of [
      [0, false],
      [1, true],
    ] as const) {
      const bias = tf.fill([width], value);
      const scores = scoreTokens(tinyConfig, new Map(plain).set(`${map}.bias`, bias), IDS);
      const difference = Math.max(...scores.map((score, t) => Math.abs(score - without[t]!)));
      expect(difference > 1e-4).toBe(changes);
      bias.dispose();
    }
    disposeParameters(plain);
  });
});
