import * as tf from '@tensorflow/tfjs';

/** The part of tfjs-node's backend that runs an operation with one output. */
interface NodeBackend {
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>>;
  executeSingleOutput(
    name: string,
    attributes: readonly { name: string; type: number; value: number | boolean }[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
}

/**
 * Runs the product of two float32 matrices as TensorFlow's `MatMul` in place of `BatchMatMulV2`, which tfjs-node takes
 * for every product. Both end in oneDNN, but only the latter builds a primitive for each call: on large products they
 * are as fast as each other, on small ones and on those with few rows `MatMul` is up to six times faster.
 */
export function useMatMul(): void {
  const { kernelFunc, ...batched } = tf.getKernel(tf.BatchMatMul, 'tensorflow');
  tf.unregisterKernel(tf.BatchMatMul, 'tensorflow');
  tf.registerKernel({
    ...batched,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { readonly a: tf.TensorInfo; readonly b: tf.TensorInfo };
      const matrices = [a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === 'float32');
      if (!matrices) return kernelFunc(call);
      const { transposeA, transposeB } = call.attrs as unknown as Record<string, boolean>;
      const backend = call.backend as NodeBackend;
      const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
      return backend.executeSingleOutput(
        'MatMul',
        [
          { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
          { name: 'transpose_a', type: TF_ATTR_BOOL, value: transposeA ?? false },
          { name: 'transpose_b', type: TF_ATTR_BOOL, value: transposeB ?? false },
        ],
        [a, b],
      );
    },
  });
}
