import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

/**
 * A choice of distinct rows of a matrix, with its inverse, so that gathering and scattering are both plain
 * gathers: no backend needs a scatter, and no gradient is summed in an undefined order.
 */
export interface RowSelection {
  /** The chosen rows, int32 [N]. */
  readonly rows: tf.Tensor1D;
  /** For every row of the matrix its place in the choice, or N, int32 [R]. */
  readonly inverse: tf.Tensor1D;
  readonly count: number;
  readonly total: number;
  dispose(): void;
}

/**
 * Selects distinct rows out of `total`; the caller disposes the selection.
 *
 * @throws if a row is out of range or named twice.
 */
export function selectRows(rows: ArrayLike<number>, total: number): RowSelection {
  const count = rows.length;
  const inverse = new Int32Array(total).fill(count);
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    if (!Number.isInteger(row) || row < 0 || row >= total)
      throw new Error(`selectRows: expected rows within [0, ${total}), got ${row}`);
    if (inverse[row] !== count) throw new Error(`selectRows: expected distinct rows, got ${row} twice`);
    inverse[row] = i;
  }
  const tensors = {
    rows: tf.tensor1d(Int32Array.from(rows), 'int32'),
    inverse: tf.tensor1d(inverse, 'int32'),
  };
  return { ...tensors, count, total, dispose: () => tf.dispose([tensors.rows, tensors.inverse]) };
}

/** Places the rows of `values` where `inverse` says, zeros elsewhere. */
function spread(values: tf.Tensor, inverse: tf.Tensor): tf.Tensor {
  const zeros = tf.zeros([1, values.shape[1]!]);
  return tf.gather(tf.concat([values, zeros], 0), inverse as tf.Tensor1D);
}

const gatherKernel = defineKernel({
  name: 'LatentGatherRows',
  inputs: ['x', 'rows', 'inverse'],
  outputs: 1,
  composition: {
    forward: ({ x, rows }) => [tf.gather(x!, rows as tf.Tensor1D)],
    backward: ({ outputGradients: [dy], inputs: { inverse } }) => ({ x: () => spread(dy!, inverse!) }),
  },
});

const scatterKernel = defineKernel({
  name: 'LatentScatterRows',
  inputs: ['base', 'values', 'rows', 'inverse'],
  outputs: 1,
  composition: {
    forward: ({ base, values, inverse }) => [
      tf.add(tf.mul(base!, untouched(inverse!, values!.shape[0]!)), spread(values!, inverse!)),
    ],
    backward: ({ outputGradients: [dy], inputs: { values, rows, inverse } }) => ({
      base: () => tf.mul(dy!, untouched(inverse!, values!.shape[0]!)),
      values: () => tf.gather(dy!, rows as tf.Tensor1D),
    }),
  },
});

/** 1 where a row keeps its base, 0 where a value takes its place, float32 [R, 1]. */
function untouched(inverse: tf.Tensor, count: number): tf.Tensor {
  return tf.expandDims(tf.cast(tf.equal(inverse, tf.scalar(count, 'int32')), 'float32'), 1);
}

/**
 * The selected rows of a matrix, so that nothing is computed for rows that nobody reads.
 *
 * @param x float32 [R, D]
 * @returns float32 [N, D]
 * @throws if x has not the selection's number of rows.
 */
export function gatherRows(x: tf.Tensor2D, selection: RowSelection): tf.Tensor2D {
  if (x.shape[0] !== selection.total) {
    throw new Error(`gatherRows: expected x [${selection.total}, D], got [${x.shape}]`);
  }
  return runKernel(gatherKernel, { x, rows: selection.rows, inverse: selection.inverse })[0] as tf.Tensor2D;
}

/**
 * The matrix with the selected rows replaced: how latents take their slots.
 *
 * @param base float32 [R, D]
 * @param values float32 [N, D]
 * @returns float32 [R, D]
 * @throws if base or values do not fit the selection.
 */
export function scatterRows(base: tf.Tensor2D, values: tf.Tensor2D, selection: RowSelection): tf.Tensor2D {
  if (
    base.shape[0] !== selection.total ||
    values.shape[0] !== selection.count ||
    base.shape[1] !== values.shape[1]
  ) {
    throw new Error(
      `scatterRows: expected base [${selection.total}, D] and values [${selection.count}, D], ` +
        `got [${base.shape}] and [${values.shape}]`,
    );
  }
  const inputs = { base, values, rows: selection.rows, inverse: selection.inverse };
  return runKernel(scatterKernel, inputs)[0] as tf.Tensor2D;
}
