import * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';

/** How many key ranges a query may have; both masks of the method need at most this many. */
export const RANGES_PER_QUERY = 3;

/**
 * What each query may see: up to three half-open key ranges [start, end), int32 [B, T, 3, 2], out of S keys.
 * `bias` is the same as a sum term (0 or -1e9), float32 [B, 1, T, S], for the composition; null where a fused
 * kernel walks the ranges.
 */
export interface AttentionMask {
  readonly ranges: tf.Tensor4D;
  readonly bias: tf.Tensor4D | null;
  readonly keys: number;
  dispose(): void;
}

/**
 * Whether attention on the current backend costs what the ranges show, so that long rows of many short examples cost
 * no more than short rows; a dense mask costs the square of a row.
 */
export function attentionWalksRanges(): boolean {
  return isOverridden(kernel);
}

/**
 * Builds the mask of a batch from key ranges, for the backend that is current; the caller disposes it.
 *
 * @param ranges int32 [B * T * 3 * 2], row-major, sorted and disjoint in a query; an unused range is [0, 0)
 * @param shape B rows, T queries, S keys
 * @throws if ranges does not hold B * T * 3 * 2 numbers.
 * @throws if a range leaves [0, S].
 * @throws if a query's ranges overlap or are out of order.
 */
export function attentionMask(
  ranges: Int32Array,
  shape: { readonly batch: number; readonly queries: number; readonly keys: number },
): AttentionMask {
  const { batch, queries, keys } = shape;
  const expected = batch * queries * RANGES_PER_QUERY * 2;
  if (ranges.length !== expected) {
    throw new Error(`attentionMask: expected ${expected} range limits, got ${ranges.length}`);
  }
  const dense = isOverridden(kernel) ? null : new Float32Array(batch * queries * keys).fill(-1e9);
  for (let query = 0; query < batch * queries; query++) {
    let [lastStart, lastEnd] = [0, 0];
    for (let i = 0; i < RANGES_PER_QUERY; i++) {
      const start = ranges[(query * RANGES_PER_QUERY + i) * 2]!;
      const end = ranges[(query * RANGES_PER_QUERY + i) * 2 + 1]!;
      if (start < 0 || end > keys || start > end) {
        throw new Error(
          `attentionMask: expected ranges within [0, ${keys}), got [${start}, ${end}) at query ${query}`,
        );
      }
      if (start === end) continue;
      // a kernel that walks the ranges would count a key twice
      if (start < lastEnd) {
        throw new Error(
          `attentionMask: expected sorted, disjoint ranges, got [${start}, ${end}) after [${lastStart}, ${lastEnd}) at query ${query}`,
        );
      }
      lastStart = start;
      lastEnd = end;
      dense?.fill(0, query * keys + start, query * keys + end);
    }
  }
  const tensors = {
    ranges: tf.tensor4d(ranges, [batch, queries, RANGES_PER_QUERY, 2], 'int32'),
    bias: dense && tf.tensor4d(dense, [batch, 1, queries, keys]),
  };
  return {
    ...tensors,
    keys,
    dispose: () => tf.dispose(Object.values(tensors).filter((tensor) => tensor !== null)),
  };
}

/** A reshape that costs nothing where the shape is right already. */
function reshaped(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return String(x.shape) === String(shape) ? x : tf.reshape(x, [...shape]);
}

/** [B, T, H, d] -> [B, G, (H/G) T, d]: the queries that share one key head stand together. */
function groupHeads(x: tf.Tensor, groups: number): tf.Tensor {
  const [batch, length, heads, width] = x.shape as [number, number, number, number];
  const byHead = tf.transpose(x, [0, 2, 1, 3]); // [B, H, T, d]
  return reshaped(byHead, [batch, groups, (heads / groups) * length, width]);
}

/** The inverse of `groupHeads`. */
function ungroupHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, groups, rows, width] = x.shape as [number, number, number, number];
  const byHead = reshaped(x, [batch, heads, (groups * rows) / heads, width]);
  return tf.transpose(byHead, [0, 2, 1, 3]);
}

const kernel = defineKernel({
  name: 'LatentAttention',
  inputs: ['query', 'key', 'value', 'ranges', 'bias'],
  optional: ['bias'], // where a fused kernel walks the ranges
  outputs: 2,
  // a fused kernel gives the log-sum-exp [B, H, T] in place of the weights; its backward pass reads that, the
  // ranges and the first output
  saved: { inputs: ['query', 'key', 'value', 'ranges'], outputs: [0, 1] },
  composition: {
    forward: ({ query, key, value, bias }) => {
      const [batch, length, heads, width] = query!.shape as [number, number, number, number];
      const [, keys, groups] = key!.shape as [number, number, number, number];
      const q = groupHeads(tf.mul(query!, width ** -0.5), groups);
      const k = groupHeads(key!, groups);
      const v = groupHeads(value!, groups);
      const scores = reshaped(tf.matMul(q, k, false, true), [batch, heads, length, keys]);
      const weights = tf.softmax(tf.add(scores, bias!)); // [B, H, T, S]
      const mixed = tf.matMul(reshaped(weights, [batch, groups, (heads / groups) * length, keys]), v);
      return [ungroupHeads(mixed, heads), weights];
    },
    backward: ({ outputGradients: [dy], inputs: { query, key, value }, outputs: [, weights] }) => {
      const [batch, length, heads, width] = query!.shape as [number, number, number, number];
      const [, keys, groups] = key!.shape as [number, number, number, number];
      const w = reshaped(weights!, [batch, groups, (heads / groups) * length, keys]);
      const gradient = groupHeads(dy!, groups);
      const weightGradient = tf.matMul(gradient, groupHeads(value!, groups), false, true);
      // softmax: dS = W * (dW - sum(W * dW))
      const share = tf.sum(tf.mul(w, weightGradient), -1, true);
      const scores = tf.mul(w, tf.sub(weightGradient, share));
      const scale = width ** -0.5;
      return {
        query: () => tf.mul(ungroupHeads(tf.matMul(scores, groupHeads(key!, groups)), heads), scale),
        key: () =>
          tf.mul(ungroupHeads(tf.matMul(scores, groupHeads(query!, groups), true, false), groups), scale),
        value: () => ungroupHeads(tf.matMul(w, gradient, true, false), groups),
      };
    },
  },
});

/**
 * Scaled dot-product attention over key ranges with grouped queries:
 * softmax(q k^T / sqrt(d) restricted to the visible keys) v (Vaswani et al. 2017, eq. 1).
 * A query that sees nothing (padding) gives a finite row that nobody may read.
 *
 * @param query float32 [B, T, H, d]
 * @param key float32 [B, S, G, d], H % G == 0
 * @param value float32 [B, S, G, d]
 * @param mask visible keys of each query
 * @returns float32 [B, T, H, d]
 * @throws if the shapes do not fit each other or the mask.
 * @throws if the mask was made for a backend with a fused kernel and this one has none.
 */
export function attention(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  mask: AttentionMask,
): tf.Tensor4D {
  const [batch, length, heads, width] = query.shape;
  const [keyBatch, keys, groups, keyWidth] = key.shape;
  if (keyBatch !== batch || keyWidth !== width || heads % groups !== 0) {
    throw new Error(
      `attention: expected key [${batch}, S, G, ${width}] with H % G == 0, got [${key.shape}] for H=${heads}`,
    );
  }
  if (String(value.shape) !== String(key.shape)) {
    throw new Error(`attention: expected value [${key.shape}] like key, got [${value.shape}]`);
  }
  const [maskBatch, queries] = mask.ranges.shape;
  if (maskBatch !== batch || queries !== length || mask.keys !== keys) {
    throw new Error(
      `attention: expected a mask of ${batch} x ${length} x ${keys}, got ${maskBatch} x ${queries} x ${mask.keys}`,
    );
  }
  const inputs = { query, key, value, ranges: mask.ranges };
  const [mixed, saved] = runKernel(kernel, isOverridden(kernel) ? inputs : { ...inputs, bias: biasOf(mask) });
  saved!.dispose();
  return mixed as tf.Tensor4D;
}

function biasOf(mask: AttentionMask): tf.Tensor4D {
  if (mask.bias) return mask.bias;
  throw new Error(
    `attention: expected a mask made for the backend ${tf.getBackend()}, got one without a bias`,
  );
}
