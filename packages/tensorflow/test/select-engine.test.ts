import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { selectEngine } from '../src/index.js';

let written: string[];

beforeEach(() => {
  written = [];
  const record = (text: unknown) => String(text).startsWith('latent-sft') && written.push(String(text)) > 0;
  vi.stubEnv('LATENT_SFT_CACHE', '/nonexistent/cache');
  vi.spyOn(process.stderr, 'write').mockImplementation(record);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('falls back to wasm and says once why, what it costs, and what mends it', async () => {
  const report = await selectEngine();
  expect(report).toMatchObject({
    backend: 'wasm',
    flavour: null,
    tensorflowVersion: null,
    tfjsVersion: '4.22.0',
    threads: 1,
  });
  expect(report.fallback?.reason).toMatch(/^tensorflow: /);
  await selectEngine();
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(
    /^latent-sft: running on wasm, with one thread .* speed \(tensorflow: .*\); (to mend it, run: npm run setup|run it on Linux.*)\n$/,
  );
});

it('is silent about a backend that was asked for', async () => {
  expect(await selectEngine('cpu')).toMatchObject({ backend: 'cpu', fallback: null });
  expect(tf.add([1, 2], [3, 4]).dataSync()).toEqual(Float32Array.of(4, 6));
  expect(written).toEqual([]);
});

it('multiplies on wasm', async () => {
  await selectEngine('wasm');
  expect(tf.getBackend()).toBe('wasm');
  expect(tf.matMul([[1, 2]], [[3], [4]]).dataSync()).toEqual(Float32Array.of(11));
});

it('refuses a backend that was asked for by name and is not there', async () => {
  await expect(selectEngine('tensorflow')).rejects.toThrow(
    /^selectEngine: expected a backend that starts, got tensorflow: the native engine .*; .*run/,
  );
});

it('does not fall back to a backend without the precision asked for', async () => {
  await expect(selectEngine('auto', { precision: 'bfloat16-products' })).rejects.toThrow(
    /^selectEngine: expected precision float32 on the wasm backend, got bfloat16-products \(tensorflow: the native/,
  );
});
