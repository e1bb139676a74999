import * as tf from '@tensorflow/tfjs';

/** Speed of square float32 matrix products on the current backend, in its precision, medians in GFLOP/s. */
export interface GemmSpeed {
  readonly gflops512: number;
  readonly gflops1024: number;
}

const BUDGET_MS = 400;
const MINIMUM_RUNS = 3;

/** Measures products of 512x512 and 1024x1024 matrices, after one to warm up; under a second on TensorFlow. */
export function measureGemm(): GemmSpeed {
  return { gflops512: squareProductGflops(512), gflops1024: squareProductGflops(1024) };
}

/**
 * Median speed of square float32 products on the current backend, in its precision, after one to warm up, in GFLOP/s.
 *
 * @param size rows and columns
 * @param budgetMs new products begin until so much time has gone by
 */
export function squareProductGflops(size: number, budgetMs = BUDGET_MS): number {
  return tf.tidy(() => {
    const [left, right] = [tf.fill([size, size], 0.5), tf.fill([size, size], 0.25)];
    const timesMs: number[] = [];
    tf.matMul(left, right).dataSync();
    const start = performance.now();
    while (timesMs.length < MINIMUM_RUNS || performance.now() - start < budgetMs) {
      const before = performance.now();
      const product = tf.matMul(left, right);
      product.dataSync();
      timesMs.push(performance.now() - before);
      product.dispose();
    }
    const median = timesMs.sort((a, b) => a - b)[timesMs.length >> 1]!;
    return (2 * size ** 3) / (median * 1e6);
  });
}
