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
  const typed = [];
  for (const name in attributes) {
    const value = attributes[name]!;
    if (typeof value === 'boolean') typed.push({ name, type: TF_ATTR_BOOL, value });
    else if (typeof value === 'bigint') typed.push({ name, type: TF_ATTR_INT, value: Number(value) });
    else typed.push({ name, type: TF_ATTR_FLOAT, value });
  }
  return backend.executeMultipleOutputs(name, typed, inputs, outputs);
}
