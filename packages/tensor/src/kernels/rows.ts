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
  /** Where each row comes from in the matrix followed by the N chosen rows' new values, int32 [R]. */
  readonly source: tf.Tensor1D;
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
  const chosen = new Int32Array(count);
  const inverse = new Int32Array(total).fill(count);
  const source = new Int32Array(total);
  for (let row = 0; row < total; row++) source[row] = row;
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    if (!Number.isInteger(row) || row < 0 || row >= total)
      throw new Error(`selectRows: expected rows within [0, ${total}), got ${row}`);
    if (inverse[row] !== count) throw new Error(`selectRows: expected distinct rows, got ${row} twice`);
    chosen[i] = row;
    inverse[row] = i;
    source[row] = total + i;
  }
  const tensors = {
    rows: tf.tensor1d(chosen, 'int32'),
    inverse: tf.tensor1d(inverse, 'int32'),
    source: tf.tensor1d(source, 'int32'),
  };
  return { ...tensors, count, total, dispose: () => tf.dispose(Object.values(tensors)) };
}

/** The rows of `first`, then of `second`, at `places`. */
function pick(first: tf.Tensor, second: tf.Tensor, places: tf.Tensor): tf.Tensor {
  return tf.gather(tf.concat([first, second], 0), places as tf.Tensor1D);
}

const gatherKernel = defineKernel({
  name: 'LatentGatherRows',
  inputs: ['x', 'rows', 'inverse'],
  outputs: 1,
  saved: { inputs: ['inverse'], outputs: [] },
  composition: {
    forward: ({ x, rows }) => [tf.gather(x!, rows as tf.Tensor1D)],
    backward: ({ outputGradients: [dy], inputs: { inverse } }) => ({
      x: () => pick(dy!, tf.zeros([1, dy!.shape[1]!]), inverse!),
    }),
  },
});

const scatterKernel = defineKernel({
  name: 'LatentScatterRows',
  inputs: ['base', 'values', 'rows', 'source'],
  outputs: 1,
  saved: { inputs: ['rows', 'source'], outputs: [] },
  composition: {
    forward: ({ base, values, source }) => [pick(base!, values!, source!)],
    backward: ({ outputGradients: [dy], inputs: { rows, source } }) => ({
      base: () => pick(dy!, tf.zeros([rows!.size, dy!.shape[1]!]), source!),
      values: () => tf.gather(dy!, rows as tf.Tensor1D),
    }),
  },
});

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
  const inputs = { base, values, rows: selection.rows, source: selection.source };
  return runKernel(scatterKernel, inputs)[0] as tf.Tensor2D;
}
