import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  disposeParameters,
  initialLora,
  LORA_TARGETS,
  type LoraSettings,
  loadAdapterFolder,
  loraScale,
  mergeLora,
  type NamedArray,
  parametersFrom,
  readSafetensors,
  saveAdapterFolder,
  scoreTokens,
  withAdapter,
  writeSafetensors,
} from '../src/index.js';
import { tinyConfig, tinyWeights } from './tiny-model.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const IDS = [1, 5, 2, 9, 10, 3, 3, 7];
const folder = mkdtempSync(join(tmpdir(), 'adapters-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An adapter that changes something: B is not zero. */
function trained(settings: LoraSettings, config = tinyConfig): Map<string, NamedArray> {
  const adapter = initialLora(config, settings, 4, 'test');
  for (const [name, { shape, data }] of adapter) {
    if (!name.endsWith('lora_B.weight')) continue;
    adapter.set(name, { shape, data: randomStream(5, name).normal(data.length) });
  }
  return adapter;
}

/** Log-likelihoods of the tiny model with an adapter beside it. */
function scoresBeside(adapter: ReadonlyMap<string, NamedArray>, settings: LoraSettings, config = tinyConfig) {
  const before = countTensors();
  const base = parametersFrom(tinyWeights(config));
  const moving = parametersFrom(adapter);
  const scale = tf.scalar(loraScale(settings));
  const scores = tf.tidy(() => [...scoreTokens(config, withAdapter(base, moving, scale), IDS)]);
  scale.dispose();
  disposeParameters(base);
  disposeParameters(moving);
  expect(countTensors()).toBe(before);
  return scores;
}

function scoresOf(weights: ReadonlyMap<string, NamedArray>, config = tinyConfig) {
  const parameters = parametersFrom(weights);
  const scores = [...scoreTokens(config, parameters, IDS)];
  disposeParameters(parameters);
  return scores;
}

describe('an adapter', () => {
  it('changes nothing at first', () => {
    const settings: LoraSettings = { rank: 2, alpha: 4, targets: LORA_TARGETS };
    const fresh = initialLora(tinyConfig, settings, 1, 'fresh');
    expect(scoresBeside(fresh, settings)).toEqual(scoresOf(tinyWeights()));
  });

  it.each([
    [['q_proj']],
    [['v_proj', 'o_proj']],
    [['gate_proj', 'up_proj', 'down_proj']],
    [['embed_tokens']],
    [[...LORA_TARGETS]],
  ] as const)('beside its base gives what it gives merged into it: %j', (targets) => {
    const settings: LoraSettings = { rank: 3, alpha: 1.5, targets };
    for (const tiedEmbeddings of [false, true]) {
      const config = { ...tinyConfig, tiedEmbeddings };
      const base = tinyWeights(config);
      const adapter = trained(settings, config);
      const merged = scoresOf(mergeLora(base, adapter, settings), config);
      scoresBeside(adapter, settings, config).forEach((score, i) => {
        expect(score).toBeCloseTo(merged[i]!, 4);
      });
      expect(
        Math.max(...scoresOf(base, config).map((score, i) => Math.abs(score - merged[i]!))),
      ).toBeGreaterThan(0.01);
    }
  });

  it('is W + (alpha / rank) B A', () => {
    const settings: LoraSettings = { rank: 2, alpha: 3, targets: ['down_proj'] };
    const base = tinyWeights();
    const adapter = trained(settings);
    const map = 'model.layers.1.mlp.down_proj';
    const w = base.get(`${map}.weight`)!;
    const a = adapter.get(`${map}.lora_A.weight`)!;
    const b = adapter.get(`${map}.lora_B.weight`)!;
    const [output, input] = w.shape as [number, number];
    const merged = mergeLora(base, adapter, settings).get(`${map}.weight`)!.data;
    for (let i = 0; i < output; i++) {
      for (let j = 0; j < input; j++) {
        const product = b.data[2 * i]! * a.data[j]! + b.data[2 * i + 1]! * a.data[input + j]!;
        expect(merged[i * input + j]).toBeCloseTo(w.data[i * input + j]! + 1.5 * product, 5);
      }
    }
  });
});

describe('an adapter folder', () => {
  const settings = { rank: 2, alpha: 8, targets: ['q_proj', 'embed_tokens'], dropout: 0.1 } as const;

  it("gives back what was saved, under PEFT's names", () => {
    const adapter = trained(settings);
    const place = join(folder, 'whole');
    saveAdapterFolder(place, adapter, settings, 'some/model');
    const loaded = loadAdapterFolder(place);
    expect(loaded.settings).toEqual({ rank: 2, alpha: 8, targets: ['q_proj', 'embed_tokens'] });
    expect(loaded.adapter).toEqual(adapter);
    const names = [...readSafetensors(join(place, 'adapter_model.safetensors')).keys()];
    expect(names).toContain('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight');
    expect(names).toContain('base_model.model.model.embed_tokens.lora_embedding_A');
    expect(JSON.parse(readFileSync(join(place, 'adapter_config.json'), 'utf8'))).toMatchObject({
      base_model_name_or_path: 'some/model',
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 8,
    });
  });

  it.each([
    ['no JSON', '{', 'expected JSON in'],
    ['another kind of adapter', '{"peft_type":"IA3"}', 'expected a LoRA config in'],
    [
      'a scale that is not alpha / rank',
      '{"peft_type":"LORA","r":2,"lora_alpha":8,"target_modules":["q_proj"],"use_rslora":true}',
      'use_rslora',
    ],
  ])('refuses %s', (title, config, message) => {
    const place = join(folder, title);
    saveAdapterFolder(place, trained(settings), settings, 'some/model');
    writeFileSync(join(place, 'adapter_config.json'), config);
    expect(() => loadAdapterFolder(place)).toThrow(message);
  });

  it('refuses tensors that are none of an adapter', () => {
    const place = join(folder, 'foreign');
    saveAdapterFolder(place, trained(settings), settings, 'some/model');
    const foreign = new Map([['q_proj.weight', { shape: [1], data: new Float32Array(1) }]]);
    writeSafetensors(join(place, 'adapter_model.safetensors'), foreign);
    expect(() => loadAdapterFolder(place)).toThrow('got "q_proj.weight"');
  });

  it('refuses to merge an adapter of another size or of another model', () => {
    const adapter = trained(settings);
    const wide = new Map(adapter);
    const name = 'model.layers.0.self_attn.q_proj.lora_A.weight';
    wide.set(name, { shape: [2, 9], data: new Float32Array(18) });
    expect(() => mergeLora(tinyWeights(), wide, settings)).toThrow('expected an adapter of model.layers.0');
    expect(() => mergeLora(new Map(), adapter, settings)).toThrow('got no weight');
  });
});
