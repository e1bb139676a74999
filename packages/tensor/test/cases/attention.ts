import * as tf from '@tensorflow/tfjs';
import { attention, attentionMask, RANGES_PER_QUERY } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

/** Sizes of one attention call: H query heads share G key heads. */
export interface AttentionSizes {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
}

/** The visible key ranges of one query, at most three. */
export type Ranges = readonly (readonly [start: number, end: number])[];

/** Ranges as the mask wants them, [B * T * 3 * 2], unused ones [0, 0). */
export function packRanges(perQuery: readonly Ranges[]): Int32Array {
  const packed = new Int32Array(perQuery.length * RANGES_PER_QUERY * 2);
  perQuery.forEach((ranges, query) => {
    packed.set(ranges.flat(), query * RANGES_PER_QUERY * 2);
  });
  return packed;
}

const sees = (ranges: Ranges, key: number) => ranges.some(([start, end]) => start <= key && key < end);

/** softmax(q k^T / sqrt(d)) v over the visible keys, one query row and head at a time. */
function referenceAttention(
  { batch, queries, keys, heads, groups, width }: AttentionSizes,
  perQuery: readonly Ranges[],
  inputs: Readonly<Record<string, Float64Array>>,
): Float64Array {
  const output = new Float64Array(batch * queries * heads * width);
  for (let row = 0; row < batch * queries; row++) {
    const firstKey = Math.floor(row / queries) * keys;
    const visible = Array.from({ length: keys }, (_, key) => key).filter((key) => sees(perQuery[row]!, key));
    for (let head = 0; head < heads; head++) {
      const at = (row * heads + head) * width;
      const keyAt = (key: number) =>
        ((firstKey + key) * groups + Math.floor((head * groups) / heads)) * width;
      const exponents = visible.map((key) => {
        let dot = 0;
        for (let i = 0; i < width; i++) dot += inputs.query![at + i]! * inputs.key![keyAt(key) + i]!;
        return Math.exp(dot / Math.sqrt(width));
      });
      const total = exponents.reduce((sum, x) => sum + x, 0);
      visible.forEach((key, j) => {
        for (let i = 0; i < width; i++) {
          output[at + i]! += (exponents[j]! / total) * inputs.value![keyAt(key) + i]!;
        }
      });
    }
  }
  return output;
}

/** The same by plain tfjs operations: key heads repeated, a dense mask, one product per step. */
function composeAttention(
  { batch, queries, keys, heads, groups, width }: AttentionSizes,
  perQuery: readonly Ranges[],
  inputs: Readonly<Record<string, tf.Tensor>>,
): tf.Tensor {
  const repeated = (x: tf.Tensor) => {
    const copies = Array.from({ length: heads }, (_, head) =>
      tf.slice(x, [0, 0, Math.floor((head * groups) / heads), 0], [batch, keys, 1, width]),
    );
    return tf.transpose(tf.concat(copies, 2), [0, 2, 1, 3]);
  };
  const query = tf.transpose(inputs.query!, [0, 2, 1, 3]);
  const dense = perQuery.flatMap((ranges) =>
    Array.from({ length: keys }, (_, key) => (sees(ranges, key) ? 0 : -1e9)),
  );
  const mask = tf.tensor4d(dense, [batch, 1, queries, keys]);
  const scores = tf.div(tf.matMul(query, repeated(inputs.key!), false, true), Math.sqrt(width));
  return tf.transpose(tf.matMul(tf.softmax(tf.add(scores, mask)), repeated(inputs.value!)), [0, 2, 1, 3]);
}

/** One attention call over given ranges, with random rows. */
export function attentionCase(title: string, sizes: AttentionSizes, perQuery: readonly Ranges[]): KernelCase {
  const { batch, queries, keys, heads, groups, width } = sizes;
  return {
    title: `attention, ${title}`,
    inputs: {
      query: normalSample(`attention/query/${title}`, [batch, queries, heads, width]),
      key: normalSample(`attention/key/${title}`, [batch, keys, groups, width]),
      value: normalSample(`attention/value/${title}`, [batch, keys, groups, width]),
    },
    outputShape: [batch, queries, heads, width],
    open: () => {
      const mask = attentionMask(packRanges(perQuery), { batch, queries, keys });
      return {
        kernel: ({ query, key, value }) =>
          attention(query as tf.Tensor4D, key as tf.Tensor4D, value as tf.Tensor4D, mask),
        composition: (inputs) => composeAttention(sizes, perQuery, inputs),
        constants: mask.bias ? [mask.ranges, mask.bias] : [mask.ranges],
      };
    },
    reference: (inputs) => referenceAttention(sizes, perQuery, inputs),
    unread: (element) => {
      const ranges = perQuery[Math.floor(element / (heads * width))]!;
      return ranges.every(([start, end]) => start === end);
    },
  };
}

const causal = (batch: number, length: number): Ranges[] =>
  Array.from({ length: batch * length }, (_, row) => [[0, (row % length) + 1]]);

export const attentionCases = [
  attentionCase(
    'causal, as many key heads as query heads',
    { batch: 2, queries: 5, keys: 5, heads: 3, groups: 3, width: 4 },
    causal(2, 5),
  ),
  attentionCase(
    'grouped queries',
    { batch: 2, queries: 3, keys: 3, heads: 6, groups: 2, width: 3 },
    causal(2, 3),
  ),
  attentionCase(
    'one key head for all',
    { batch: 1, queries: 4, keys: 4, heads: 4, groups: 1, width: 2 },
    causal(1, 4),
  ),
  attentionCase('no query', { batch: 1, queries: 0, keys: 3, heads: 2, groups: 1, width: 2 }, []),
  attentionCase('one query, one key', { batch: 1, queries: 1, keys: 1, heads: 1, groups: 1, width: 1 }, [
    [[0, 1]],
  ]),
  attentionCase(
    'three ranges, empty ranges, fewer queries than keys',
    { batch: 2, queries: 2, keys: 9, heads: 2, groups: 1, width: 4 },
    [
      [
        [0, 2],
        [4, 5],
        [7, 9],
      ],
      [
        [3, 3],
        [5, 6],
      ],
      [
        [0, 1],
        [1, 4],
        [8, 8],
      ],
      [[8, 9]],
    ],
  ),
  attentionCase(
    'queries that see nothing',
    { batch: 1, queries: 4, keys: 3, heads: 2, groups: 2, width: 3 },
    [[[0, 3]], [], [[1, 2]], [[2, 2]]],
  ),
];
