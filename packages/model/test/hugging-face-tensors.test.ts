import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadModelFolder,
  type NamedArray,
  readSafetensors,
  saveModelFolder,
  tensorShapes,
  writeSafetensors,
} from '../src/index.js';
import { tinyConfigs, tinyWeights } from './tiny-model.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hugging-face-tensors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'model.safetensors');
const cases = tinyConfigs.map((config) => ({ name: config.architecture, config }));

describe.each(cases)('the tensors of $name', ({ config }) => {
  const shapes = tensorShapes(config);
  const resave = (change: (tensors: Map<string, NamedArray>) => void): void => {
    saveModelFolder(folder, config, tinyWeights(config));
    const tensors = readSafetensors(file());
    change(tensors);
    writeSafetensors(file(), tensors);
  };

  it('come back as they were saved', () => {
    saveModelFolder(folder, config, tinyWeights(config));
    expect(loadModelFolder(folder).weights).toEqual(tinyWeights(config));
  });

  it('are each asked for by the name in the file', () => {
    saveModelFolder(folder, config, tinyWeights(config));
    for (const name of readSafetensors(file()).keys()) {
      resave((tensors) => tensors.delete(name));
      expect(() => loadModelFolder(folder)).toThrow(`expected tensor "${name}"`);
    }
  });

  it('must each have their shape', () => {
    saveModelFolder(folder, config, tinyWeights(config));
    for (const [name, { shape }] of readSafetensors(file())) {
      resave((tensors) => {
        const { data } = tensors.get(name)!;
        tensors.set(name, { shape: [1, ...shape], data });
      });
      expect(() => loadModelFolder(folder)).toThrow(
        `expected tensor "${name}" [${shape.join(', ')}] in ${file()}, got [1, ${shape.join(', ')}]`,
      );
    }
    for (const name of shapes.keys()) {
      const weights = tinyWeights(config);
      weights.set(name, { shape: [1], data: new Float32Array(1) });
      expect(() => saveModelFolder(folder, config, weights)).toThrow(`expected tensor "${name}"`);
    }
  });

  it('are all of them', () => {
    const extra = 'model.layers.0.self_attn.nose.weight';
    resave((tensors) => tensors.set(extra, { shape: [1], data: new Float32Array(1) }));
    expect(() => loadModelFolder(folder)).toThrow(`only the tensors of a ${config.architecture} model`);
    expect(() => loadModelFolder(folder)).toThrow(`got also "${extra}"`);
  });
});

describe('a GPT-2 file', () => {
  const config = tinyConfigs.at(-1)!;
  const weights = tinyWeights(config);

  it('has maps as [in, out], with query, key and value side by side', () => {
    saveModelFolder(folder, config, weights);
    const fused = readSafetensors(file()).get('transformer.h.1.attn.c_attn.weight')!;
    expect(fused.shape).toEqual([8, 24]);
    const value = weights.get('model.layers.1.self_attn.v_proj.weight')!;
    expect(fused.data[5 * 24 + 16 + 3]).toBe(value.data[3 * 8 + 5]); // in 5, out 3
    const biases = readSafetensors(file()).get('transformer.h.0.attn.c_attn.bias')!.data;
    expect([...biases.subarray(8, 16)]).toEqual([
      ...weights.get('model.layers.0.self_attn.k_proj.bias')!.data,
    ]);
  });

  it('may be of the bare model, and may carry its causal masks and a copy of the tied head', () => {
    saveModelFolder(folder, config, weights);
    const bare = new Map([...readSafetensors(file())].map(([name, array]) => [name.slice(12), array]));
    const one = { shape: [1], data: new Float32Array(1) };
    bare.set('h.0.attn.bias', one).set('h.1.attn.masked_bias', one);
    bare.set('lm_head.weight', { shape: [11, 8], data: new Float32Array(88) });
    writeSafetensors(file(), bare);
    expect(loadModelFolder(folder).weights).toEqual(weights);
  });

  it('may have a head of its own', () => {
    const untied = { ...config, tiedEmbeddings: false };
    saveModelFolder(folder, untied, tinyWeights(untied));
    expect(loadModelFolder(folder)).toEqual({ config: untied, weights: tinyWeights(untied) });
  });
});
