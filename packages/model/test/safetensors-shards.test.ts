import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  loadModel,
  loadModelFolder,
  type NamedArray,
  readShardedSafetensors,
  saveModelFolder,
  writeSafetensors,
} from '../src/index.js';
import { tinyConfigs, tinyWeights } from './tiny-model.js';

let folder: string;
const index = () => join(folder, 'model.safetensors.index.json');
const shard = (number: number) => `model-0000${number}-of-00002.safetensors`;
const array = (value: number): NamedArray => ({ shape: [2], data: Float32Array.of(value, value + 1) });

function putIndex(weightMap: unknown): void {
  writeFileSync(index(), JSON.stringify({ metadata: { total_size: 16 }, weight_map: weightMap }));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'safetensors-shards-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  writeSafetensors(join(folder, shard(1)), new Map([['one', array(1)]]));
  writeSafetensors(join(folder, shard(2)), new Map([['two', array(2)]]));
});

describe('a model in shards', () => {
  it('is all of its tensors', () => {
    putIndex({ one: shard(1), two: shard(2) });
    expect(readShardedSafetensors(index())).toEqual(
      new Map([
        ['one', array(1)],
        ['two', array(2)],
      ]),
    );
  });

  it('loads as a folder', async () => {
    const [config] = tinyConfigs;
    const model = mkdtempSync(join(folder, 'model-'));
    const tensors = [...tinyWeights(config!)];
    saveModelFolder(model, config!, new Map(tensors));
    rmSync(join(model, 'model.safetensors'));
    const half = tensors.length >> 1;
    writeSafetensors(join(model, shard(1)), new Map(tensors.slice(0, half)));
    writeSafetensors(join(model, shard(2)), new Map(tensors.slice(half)));
    const weightMap = Object.fromEntries(tensors.map(([name], at) => [name, shard(at < half ? 1 : 2)]));
    writeFileSync(join(model, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
    expect(loadModelFolder(model)).toEqual({ config, weights: new Map(tensors) });
    expect(await loadModel(model)).toEqual({ config, weights: new Map(tensors) });
  });

  it('reads the shards that transformers writes', () => {
    const fixture = fileURLToPath(new URL('fixtures/qwen3', import.meta.url));
    const { config, weights } = loadModelFolder(fixture);
    expect(config.architecture).toBe('qwen3');
    expect(weights.size).toBe(2 + 1 + 2 * 11);
  });
});

describe('a malformed index', () => {
  const refuses = (message: string) => {
    expect(() => readShardedSafetensors(index())).toThrow(`readShardedSafetensors: expected ${message}`);
  };

  it.each([
    ['empty', '', 'JSON in FILE, got Unexpected end of JSON input'],
    ['no JSON', '{"weight_map":', 'JSON in FILE, got '],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'JSON in FILE, got bytes that are not UTF-8'],
    ['a list', '[]', 'an object weight_map in FILE, got the file ('],
    ['no map', '{"metadata":{}}', 'an object weight_map in FILE, got weight_map ('],
    ['a list as map', '{"weight_map":["a"]}', 'an object weight_map in FILE, got weight_map ('],
    ['an empty map', '{"weight_map":{}}', 'tensors in the weight_map of FILE, got none'],
  ])('%s', (_, content, message) => {
    writeFileSync(index(), content);
    refuses(message.replace('FILE', index()));
  });

  it.each([
    '../model.safetensors',
    '/etc/model.safetensors',
    'sub/model.safetensors',
    '..\\model.safetensors',
    '.hidden.safetensors',
    'model.bin',
    'model.safetensors\0',
    '',
    7,
    null,
    { a: [1] },
  ])('with the shard name %j', (name) => {
    putIndex({ one: name });
    refuses(`the name of a safetensors file beside ${index()} for tensor "one", got ${JSON.stringify(name)}`);
  });

  it('is not repeated in the message', () => {
    putIndex({ one: 'x'.repeat(1e6) });
    expect(() => readShardedSafetensors(index())).toThrow(/got "x{79}\.\.\.$/);
    writeFileSync(index(), `{"weight_map":{"one":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`);
    refuses(
      `the name of a safetensors file beside ${index()} for tensor "one", got a value nested too deeply`,
    );
  });

  it('with shards that are missing', () => {
    putIndex({ one: shard(1), two: shard(3), three: shard(4) });
    refuses(`3 shards beside ${index()}, got none by the name of ${shard(3)}, ${shard(4)} (2 missing)`);
  });

  it('with a tensor that its shard lacks', () => {
    putIndex({ one: shard(1), two: shard(2), three: shard(2) });
    refuses(`tensor "three" in ${join(folder, shard(2))} by the index, got none of that name`);
    putIndex({ one: shard(2), two: shard(1) });
    refuses(`tensor "one" in ${join(folder, shard(2))} by the index, got none of that name`);
  });

  it('with a tensor in two shards', () => {
    writeSafetensors(join(folder, shard(2)), new Map([['one', array(2)]]));
    putIndex({ one: shard(1), two: shard(2) });
    refuses(`tensor "one" in one shard of ${index()}, got it in ${shard(1)} and ${shard(2)}`);
  });

  it('with a damaged shard', () => {
    writeFileSync(join(folder, shard(2)), '');
    putIndex({ one: shard(1), two: shard(2) });
    expect(() => readShardedSafetensors(index())).toThrow(
      `readSafetensors: expected at least 8 bytes in ${join(folder, shard(2))}, got 0`,
    );
  });
});
