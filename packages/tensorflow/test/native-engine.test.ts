import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { cacheFolder, diagnose, installedEngine, measureGemm, selectEngine } from '../src/index.js';

const engine = installedEngine(cacheFolder());
const name = engine ? 'native engine' : 'native engine (skipped: not set up, run `npm run setup`)';

describe.skipIf(engine === null)(name, () => {
  it('loads, multiplies, and reports what it runs on', async () => {
    const report = await selectEngine('tensorflow');
    expect(report).toMatchObject({ backend: 'tensorflow', tensorflowVersion: '2.20.0', fallback: null });
    expect(report.threads).toBeGreaterThan(0);
    expect(tf.getBackend()).toBe('tensorflow');
    const [left, right] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])];
    expect(tf.matMul(left, right).dataSync()).toEqual(Float32Array.of(11));
  });

  it('runs the functions of tfjs-node-gpu that use what Node 23 removed', async () => {
    await selectEngine('tensorflow');
    const { values, indices } = tf.topk(tf.tensor1d([3, 1, 2]), 2);
    expect([...values.dataSync()]).toEqual([3, 2]);
    expect([...indices.dataSync()]).toEqual([0, 2]);
  });

  it('measures a speed that the other backends do not reach', async () => {
    await selectEngine('tensorflow');
    const before = tf.memory().numTensors;
    const speed = measureGemm();
    expect(tf.memory().numTensors).toBe(before);
    expect(speed.gflops512).toBeGreaterThan(1);
    expect(speed.gflops1024).toBeGreaterThan(1);
  });

  it('is healthy', async () => {
    expect((await diagnose()).active).toMatchObject({ loads: true, tensorflowVersion: '2.20.0' });
  });
});

it('the example in the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const body = example.replace(/^import .*$/gm, '').replaceAll('selectEngine()', "selectEngine('cpu')");
  const logged: unknown[] = [];
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  await new AsyncFunction('tf', 'selectEngine', 'console', body)(tf, selectEngine, {
    log: (...values: unknown[]) => logged.push(...values),
  });
  expect(logged).toEqual([
    'cpu',
    [
      [19, 22],
      [43, 50],
    ],
  ]);
});
