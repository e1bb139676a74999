import type * as tf from '@tensorflow/tfjs';

/** A case's arrays, by input. */
export interface CaseInputs {
  has(name: string): boolean;
  tensor<T extends tf.Tensor>(name: string): T;
  integers(name: string): Int32Array;
  shape(name: string): readonly number[];
}

/** A kernel with its constants made: which inputs carry gradients, and what it computes of them. */
export interface KernelCase {
  readonly differentiable: readonly string[];
  compute(...inputs: tf.Tensor[]): tf.Tensor;
}
