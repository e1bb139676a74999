import * as tf from '@tensorflow/tfjs';

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
interface NodeBackend {
  readonly binding: { readonly TF_ATTR_FLOAT: number; readonly TF_ATTR_BOOL: number };
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
 * @param attributes its float (number) and bool attributes
 * @throws if the backend is not TensorFlow, or the operation rejects its inputs.
 */
export function runOp(
  name: string,
  inputs: readonly tf.Tensor[],
  outputs: number,
  attributes: Readonly<Record<string, number | boolean>> = {},
): tf.Tensor[] {
  const backend = tf.backend() as unknown as NodeBackend;
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT } = backend.binding;
  const typed = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: typeof value === 'boolean' ? TF_ATTR_BOOL : TF_ATTR_FLOAT,
    value,
  }));
  return backend.executeMultipleOutputs(name, typed, inputs, outputs);
}
