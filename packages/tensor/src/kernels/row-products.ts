import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';
import { sumByToken } from './sum-by-token.js';

/** The table's rows at ids, [R, k, D]. */
function rowsAt(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  return tf.gather(table, ids as tf.Tensor2D);
}

const kernel = defineKernel({
  name: 'LatentRowProducts',
  inputs: ['x', 'ids', 'table'],
  outputs: 1,
  saved: { inputs: ['x', 'ids', 'table'], outputs: [] },
  composition: {
    forward: ({ x, ids, table }) => [
      tf.squeeze(tf.matMul(rowsAt(table!, ids!), tf.expandDims(x!, 2)), [2]), // [R, k, D] x [R, D, 1]
    ],
    backward: ({ outputGradients: [dy], inputs: { x, ids, table } }) => ({
      x: () => tf.squeeze(tf.matMul(tf.expandDims(dy!, 1), rowsAt(table!, ids!)), [1]),
      table: () => {
        const [vocabulary, width] = table!.shape as [number, number];
        const shares = tf.mul(tf.expandDims(dy!, 2), tf.expandDims(x!, 1)); // [R, k, D]
        return sumByToken(tf.reshape(shares, [-1, width]), tf.reshape(ids!, [-1]), vocabulary);
      },
    }),
  },
});

/**
 * Products of each row with k rows of a table, y_rj = x_r . table[ids_rj]: the logits of few words out of many.
 *
 * @param x float32 [R, D]
 * @param ids int32 [R, k], each within [0, V)
 * @param table float32 [V, D]
 * @returns float32 [R, k]
 * @throws if ids is not [R, k] for the rows of x, or the table not as wide as they.
 */
export function rowProducts(x: tf.Tensor2D, ids: tf.Tensor2D, table: tf.Tensor2D): tf.Tensor2D {
  if (ids.shape[0] !== x.shape[0] || table.shape[1] !== x.shape[1]) {
    throw new Error(
      `rowProducts: expected ids [${x.shape[0]}, k] and a table [V, ${x.shape[1]}], got [${ids.shape}] and [${table.shape}]`,
    );
  }
  return runKernel(kernel, { x, ids, table })[0] as tf.Tensor2D;
}
