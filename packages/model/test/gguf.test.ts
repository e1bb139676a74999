import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  float16ToFloat32,
  float32ToFloat16,
  loadModel,
  loadModelFolder,
  readGguf,
  readSafetensors,
} from '../src/index.js';

/** See fixtures/make-gguf-fixtures.py. */
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

describe('the tensors of a GGUF file', () => {
  const expected = readSafetensors(fixture('gguf/blocks.safetensors'));

  it('are of every type that can be read', async () => {
    const { header, tensors } = await readGguf(fixture('gguf/blocks.gguf'));
    expect(header.tensors.map(({ type }) => type).sort()).toEqual([...expected.keys()].sort());
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
  });

  it.each([...expected.keys()])('of type %s are those of the reference, to the bit', async (name) => {
    const { shape, data } = (await readGguf(fixture('gguf/blocks.gguf'))).tensors.get(name)!;
    const reference = expected.get(name)!;
    expect(shape).toEqual(reference.shape);
    expect(data.length).toBe(1024);
    expect(data.findIndex((value, index) => !Object.is(value, reference.data[index]))).toBe(-1);
  });
});

describe.each(['llama', 'llama3', 'qwen2', 'qwen3', 'gpt2'])('%s as GGUF', (name) => {
  const folder = loadModelFolder(fixture(name));

  it('has the config of the folder that it was made from', async () => {
    const { config } = await loadModel(fixture(`gguf/${name}.gguf`));
    expect(config).toEqual(folder.config);
  });

  it('has its weights, maps rounded to float16', async () => {
    const { weights } = await loadModel(fixture(`gguf/${name}.gguf`));
    expect([...weights.keys()].sort()).toEqual([...folder.weights.keys()].sort());
    for (const [own, { shape, data }] of folder.weights) {
      const rounded = shape.length > 1 ? float16ToFloat32(float32ToFloat16(data)) : data;
      expect(weights.get(own)!.shape, own).toEqual(shape);
      expect(
        weights.get(own)!.data.findIndex((value, index) => value !== rounded[index]),
        own,
      ).toBe(-1);
    }
  });
});
