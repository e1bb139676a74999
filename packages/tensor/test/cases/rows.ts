import * as tf from '@tensorflow/tfjs';
import { gatherRows, scatterRows, selectRows } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

/** The selection as a 0/1 matrix [N, R]. */
function selectionMatrix(rows: readonly number[], total: number): tf.Tensor2D {
  return tf.tensor2d(
    rows.flatMap((row) => Array.from({ length: total }, (_, i) => (i === row ? 1 : 0))),
    [rows.length, total],
  );
}

function gatherCase(title: string, rows: readonly number[], total: number, width: number): KernelCase {
  return {
    title: `gatherRows, ${title}`,
    inputs: { x: normalSample(`gather/${title}`, [total, width]) },
    outputShape: [rows.length, width],
    open: () => {
      const selection = selectRows(rows, total);
      return {
        kernel: ({ x }) => gatherRows(x as tf.Tensor2D, selection),
        composition: ({ x }) => tf.matMul(selectionMatrix(rows, total), x as tf.Tensor2D),
        constants: [selection.rows, selection.inverse, selection.source],
      };
    },
    reference: ({ x }) =>
      Float64Array.from(rows.flatMap((row) => [...x!.subarray(row * width, (row + 1) * width)])),
  };
}

function scatterCase(title: string, rows: readonly number[], total: number, width: number): KernelCase {
  return {
    title: `scatterRows, ${title}`,
    inputs: {
      base: normalSample(`scatter/base/${title}`, [total, width]),
      values: normalSample(`scatter/values/${title}`, [rows.length, width]),
    },
    outputShape: [total, width],
    open: () => {
      const selection = selectRows(rows, total);
      return {
        kernel: ({ base, values }) => scatterRows(base as tf.Tensor2D, values as tf.Tensor2D, selection),
        composition: ({ base, values }) => {
          const matrix = selectionMatrix(rows, total);
          const kept = tf.sub(1, tf.sum(matrix, 0));
          return tf.add(
            tf.mul(base!, tf.expandDims(kept, 1)),
            tf.matMul(matrix, values as tf.Tensor2D, true, false),
          );
        },
        constants: [selection.rows, selection.inverse, selection.source],
      };
    },
    reference: ({ base, values }) => {
      const output = base!.slice();
      rows.forEach((row, i) => {
        output.set(values!.subarray(i * width, (i + 1) * width), row * width);
      });
      return output;
    },
  };
}

export const rowCases = [
  gatherCase('some rows, out of order', [5, 0, 3], 7, 3),
  gatherCase('one row of one', [0], 1, 4),
  gatherCase('every row', [0, 1, 2, 3], 4, 1),
  scatterCase('some rows, out of order', [5, 0, 3], 7, 3),
  scatterCase('one row of one', [0], 1, 4),
  scatterCase('every row', [2, 1, 0], 3, 5),
];
