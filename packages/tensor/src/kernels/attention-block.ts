import * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';
import { type AdaptedMap, mapInputNames, mapInputs, mapped, optionalInputNames } from './adapted-map.js';
import { type AttentionMask, attention } from './attention.js';
import { readQueries } from './read-queries.js';
import { rmsNorm } from './rms-norm.js';
import { type RotaryTable, rotary } from './rotary.js';
import { gatherRows, type RowSelection } from './rows.js';

/** The first half of a layer: its norm, its maps, and where its heads look. */
export interface AttentionBlock {
  /** float32 [D] */
  readonly norm: tf.Tensor1D;
  readonly epsilon: number;
  /** D to H d. */
  readonly query: AdaptedMap;
  /** D to G d, H % G == 0. */
  readonly key: AdaptedMap;
  readonly value: AdaptedMap;
  /** H d to D. */
  readonly output: AdaptedMap;
  /** What adapters are multiplied by; null where there are none. */
  readonly scale: tf.Scalar | null;
  /** The angles of the T positions of B rows. */
  readonly rotary: RotaryTable;
  /** Which of the T keys each query sees. */
  readonly mask: AttentionMask;
  /** The R of the B * T rows whose results are read: only keys and values are made of the others. Default: all. */
  readonly read?: RowSelection | null;
}

const maps = ['query', 'key', 'value', 'output'];
const inputs = [
  ...['x', 'norm', ...maps.flatMap(mapInputNames)],
  ...['scale', 'draws', 'kept', 'cosine', 'sine', 'ranges', 'read'],
];

const kernel = defineKernel({
  name: 'LatentAttentionBlock',
  inputs,
  optional: [...optionalInputNames(maps), 'read'],
  outputs: 4,
  saved: { inputs, outputs: [1, 2, 3] },
  composition: null,
});

/**
 * A pre-norm attention half of a layer with its residual, y = x + output(attention(rotary(query(n)), rotary(key(n)),
 * value(n))), n = rmsNorm(x), without a cache (Vaswani et al. 2017; Su et al. 2021, arXiv 2104.09864).
 *
 * @param x float32 [B * T, D]
 * @returns float32 [B * T, D], or of the rows that are read, [R, D]
 * @throws if the shapes do not fit each other, the rotary table or the mask.
 * @throws if the rows that are read are not chosen out of B * T.
 */
export function attentionBlock(x: tf.Tensor2D, block: AttentionBlock): tf.Tensor2D {
  const sizes = shapeOfHeads(x, block);
  return tf.tidy(() => resultsOf(x, block, sizes)[0]);
}

/**
 * The same, with the keys as attention reads them, turned, and the values: what a cache holds of the T tokens.
 *
 * @param x float32 [B * T, D]
 * @returns y float32 [B * T, D] or [R, D], key and value float32 [B, T, G, d]
 * @throws if the shapes do not fit each other, the rotary table or the mask.
 * @throws if the rows that are read are not chosen out of B * T.
 */
export function attentionBlockWithKeys(
  x: tf.Tensor2D,
  block: AttentionBlock,
): { readonly y: tf.Tensor2D; readonly key: tf.Tensor4D; readonly value: tf.Tensor4D } {
  const sizes = shapeOfHeads(x, block);
  const [batch, length, , headWidth] = sizes;
  const groups = block.key.weight.shape[0] / headWidth;
  return tf.tidy(() => {
    const [y, key, value] = resultsOf(x, block, sizes);
    const heads = (rows: tf.Tensor) => tf.reshape<tf.Rank.R4>(rows, [batch, length, groups, headWidth]);
    return { y, key: heads(key), value: heads(value) };
  });
}

/** y, keys and values. */
function resultsOf(
  x: tf.Tensor2D,
  block: AttentionBlock,
  [batch, length, , headWidth]: Sizes,
): [tf.Tensor2D, tf.Tensor, tf.Tensor] {
  const { norm, epsilon, query, key, value, output, scale, mask, read = null } = block;
  if (isOverridden(kernel)) {
    const tensors = mapInputs({ query, key, value, output }, scale);
    const { cosine, sine } = block.rotary;
    const all = { x, norm, ...tensors, cosine, sine, ranges: mask.ranges, ...(read && { read: read.rows }) };
    const [y, keys, values] = runKernel(kernel, all, { epsilon });
    return [y as tf.Tensor2D, keys!, values!];
  }
  const normed = rmsNorm(x, norm, epsilon);
  const heads = (rows: tf.Tensor2D): tf.Tensor4D =>
    tf.reshape(rows, [batch, rows.shape[0] / batch, rows.shape[1] / headWidth, headWidth]);
  const [keys, values] = [key, value].map((map) => heads(mapped(normed, map, scale))) as Pair;
  const turned = rotary(keys, block.rotary);
  const queries = readQueries({ shape: [batch, length], rotary: block.rotary, mask }, read);
  const rows = queries.spread(mapped(read ? gatherRows(normed, read) : normed, query, scale));
  const mixed = attention(rotary(heads(rows), queries.rotary), turned, values, queries.mask);
  const joined = queries.collect(tf.reshape(mixed, rows.shape));
  return [tf.add(read ? gatherRows(x, read) : x, mapped(joined, output, scale)), turned, values];
}

type Pair = [tf.Tensor4D, tf.Tensor4D];
type Sizes = readonly [batch: number, length: number, heads: number, headWidth: number];

function shapeOfHeads(
  x: tf.Tensor2D,
  { query, key, value, output, rotary: table, mask, read }: AttentionBlock,
): Sizes {
  const [batch, length] = mask.ranges.shape;
  const headWidth = table.cosine.shape.at(-1)!;
  const [queryWidth, width] = query.weight.shape;
  const [keyWidth] = key.weight.shape;
  const expected = [batch * length, width];
  if (
    !tf.util.arraysEqual(x.shape, expected) ||
    mask.keys !== length ||
    table.cosine.size !== batch * length * headWidth
  ) {
    throw new Error(
      `attentionBlock: expected x [${expected}], ${length} keys and as many angles, got [${x.shape}], ${mask.keys} and [${table.cosine.shape}]`,
    );
  }
  if (read && read.total !== batch * length) {
    throw new Error(`attentionBlock: expected rows out of ${batch} x ${length}, got ${read.total}`);
  }
  const isShaped = (map: AdaptedMap, rows: number, columns: number) =>
    map.weight.shape[0] === rows && map.weight.shape[1] === columns;
  if (
    !isShaped(key, keyWidth, width) ||
    !isShaped(value, keyWidth, width) ||
    !isShaped(output, width, queryWidth) ||
    keyWidth % headWidth !== 0 ||
    queryWidth % keyWidth !== 0
  ) {
    const shapes = [key.weight.shape, value.weight.shape, output.weight.shape].join(' ');
    throw new Error(
      `attentionBlock: expected key and value [G x ${headWidth}, ${width}], output [${width}, ${queryWidth}], got ${shapes}`,
    );
  }
  return [batch, length, queryWidth / headWidth, headWidth];
}
