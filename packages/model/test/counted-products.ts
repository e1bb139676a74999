import * as tf from '@tensorflow/tfjs';

const size = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/** 2 m k n of every matrix product that a computation calls, from the shapes of tfjs's kernel calls. */
export async function countedProducts(run: () => void): Promise<number> {
  const { kernels } = await tf.profile(() => {
    run();
    return [];
  });
  let flops = 0;
  for (const { name, inputShapes, outputShapes } of kernels) {
    if (name !== 'BatchMatMul') continue;
    const left = inputShapes[0]!; // [.., m, k] or its transpose
    const product = outputShapes[0] as unknown as number[]; // [.., m, n]
    const columns = product.at(-1)!;
    const inner = size(left) / (size(product) / columns);
    flops += 2 * size(product) * inner;
  }
  return flops;
}
