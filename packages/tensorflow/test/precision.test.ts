import { attention, attentionMask } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { cacheFolder, installedEngine, selectEngine } from '../src/index.js';

const engine = installedEngine(cacheFolder());
const [rows, inner, columns] = [64, 576, 96];

/** Numbers between -1 and 1, the same in every run. */
const factors = () => {
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const matrix = (length: number) => Float32Array.from({ length }, draw);
  return { left: matrix(rows * inner), right: matrix(inner * columns) };
};

/** Largest difference from sums in double precision, over the root of their number of terms. */
function largestError(): number {
  const { left, right } = factors();
  const product = tf.tidy(() =>
    tf.matMul(tf.tensor2d(left, [rows, inner]), tf.tensor2d(right, [inner, columns])).dataSync(),
  );
  let largest = 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let exact = 0;
      for (let k = 0; k < inner; k++) exact += left[row * inner + k]! * right[k * columns + column]!;
      largest = Math.max(largest, Math.abs(product[row * columns + column]! - exact));
    }
  return largest / Math.sqrt(inner);
}

// Vitest runs this file in a process of its own, so that TensorFlow is loaded here for the first time.
describe.skipIf(engine === null || engine.flavour === 'gpu')('products in bfloat16', () => {
  it('are as exact as 8 bits of mantissa allow, or float32 where the processor has no bfloat16', async () => {
    const report = await selectEngine('tensorflow', { precision: 'bfloat16-products' });
    expect(report.precision).toBe('bfloat16-products');
    const error = largestError();
    expect(error).toBeLessThan(0.02);
    if (report.instructionSets.includes('amx_bf16')) expect(error).toBeGreaterThan(1e-4);
  });

  it('leave the fused kernels and element-wise operations in float32', async () => {
    await selectEngine('tensorflow');
    const exact = 1 + 2 ** -20;
    const row = tf.fill([1, 1, 1, 8], exact) as tf.Tensor4D;
    const mask = attentionMask(Int32Array.of(0, 1, 0, 0, 0, 0), { batch: 1, queries: 1, keys: 1 });
    expect(attention(row, row, row, mask).dataSync()).toEqual(new Float32Array(8).fill(exact));
    expect(tf.mul(row, 1).dataSync()).toEqual(new Float32Array(8).fill(exact));
  });

  it('cannot be changed once TensorFlow is loaded', async () => {
    const { precision, threads } = await selectEngine('tensorflow');
    expect(precision).toBe('bfloat16-products');
    await expect(selectEngine('auto', { precision: 'float32' })).rejects.toThrow(
      /^selectEngine: expected precision bfloat16-products, with which this process has loaded TensorFlow, got float32; start another process/,
    );
    await expect(selectEngine('tensorflow', { threads: threads + 1 })).rejects.toThrow(
      `selectEngine: expected threads ${threads}, with which this process has loaded TensorFlow, got ${threads + 1}`,
    );
    await selectEngine('tensorflow', { threads, precision });
  });
});

it.each(['wasm', 'cpu'] as const)('%s computes in float32 only', async (backend) => {
  expect((await selectEngine(backend, { precision: 'float32' })).precision).toBe('float32');
  await expect(selectEngine(backend, { precision: 'bfloat16-products' })).rejects.toThrow(
    `selectEngine: expected precision float32 on the ${backend} backend, got bfloat16-products`,
  );
});
