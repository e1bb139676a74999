import * as tf from '@tensorflow/tfjs';

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
interface NodeBackend {
  readonly binding: Readonly<Record<'TF_ATTR_FLOAT' | 'TF_ATTR_INT' | 'TF_ATTR_BOOL', number>>;
  executeMultipleOutputs(
    name: string,
    attributes: readonly { name: string; type: number; value: number | boolean }[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/**
 * Runs a TensorFlow operation on the current backend.
 *
 * @param attributes its float (number), int (bigint) and bool attributes
 * @throws if the backend is not TensorFlow, or the operation rejects its inputs.
 */
export function runOp(
  name: string,
  inputs: readonly tf.Tensor[],
  outputs: number,
  attributes: Readonly<Record<string, number | bigint | boolean>> = {},
): tf.Tensor[] {
  const backend = tf.backend() as unknown as NodeBackend;
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_INT } = backend.binding;
  const types = { boolean: TF_ATTR_BOOL, number: TF_ATTR_FLOAT, bigint: TF_ATTR_INT } as const;
  const typed = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: types[typeof value as keyof typeof types],
    value: typeof value === 'bigint' ? Number(value) : value,
  }));
  return backend.executeMultipleOutputs(name, typed, inputs, outputs);
}
