import * as tf from '@tensorflow/tfjs';

const size = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/**
 * 2 m k n of every matrix product that a computation calls, but for those of attention: on the cpu backend it takes
 * every query-key pair, seen or not, as products of four axes.
 */
export async function countedProducts(run: () => void): Promise<number> {
  const { kernels } = await tf.profile(() => {
    run();
    return [];
  });
  let flops = 0;
  for (const { name, inputShapes, outputShapes } of kernels) {
    const left = inputShapes[0]!; // [.., m, k] or its transpose
    if (name !== 'BatchMatMul' || left.length === 4) continue;
    const product = outputShapes[0] as unknown as number[]; // [.., m, n]
    const inner = size(left) / (size(product) / product.at(-1)!);
    flops += 2 * size(product) * inner;
  }
  return flops;
}
