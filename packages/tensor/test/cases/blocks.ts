import * as tf from '@tensorflow/tfjs';
import {
  type AdaptedMap,
  adaptedLinear,
  attention,
  attentionBlock,
  attentionMask,
  feedForwardBlock,
  gatherRows,
  type NamedTensors,
  rmsNorm,
  rotary,
  rotaryTable,
  scatterRows,
  selectRows,
  swiglu,
} from '../../src/index.js';
import { normalSample, type Sample } from '../sample.js';

const EPSILON = 1e-5;
const SCALE = 1.5;

/** A block beside the kernels that it is made of, which have references of their own. */
export interface BlockCase {
  readonly title: string;
  readonly inputs: Readonly<Record<string, Sample>>;
  open(): {
    block(inputs: NamedTensors): tf.Tensor;
    kernels(inputs: NamedTensors): tf.Tensor;
    readonly constants: readonly tf.Tensor[];
  };
}

export interface BlockSizes {
  readonly lengths: readonly number[];
  readonly width: number;
  /** 0: no adapters. */
  readonly rank: number;
  readonly rate: number;
  /** Maps without an adapter among others that have one. */
  readonly bare?: readonly string[];
  /** The rows whose results are read; absent: all. */
  readonly read?: readonly number[];
}

const rankOf = ({ rank, bare }: BlockSizes, name: string) => (bare?.includes(name) ? 0 : rank);

function mapSamples(title: string, name: string, output: number, input: number, sizes: BlockSizes) {
  const rank = rankOf(sizes, name);
  // small, or rounding is all that a softmax of large scores shows
  const sample = (part: string, shape: readonly number[]): Sample => {
    const drawn = normalSample(`${title}/${name}/${part}`, shape);
    return { ...drawn, data: drawn.data.map((x) => 0.3 * x) };
  };
  return {
    [name]: sample('weight', [output, input]),
    ...(rank > 0 && {
      [`${name}Lower`]: sample('lower', [rank, input]),
      [`${name}Raise`]: sample('raise', [output, rank]),
    }),
  };
}

function mapOf(inputs: NamedTensors, name: string, sizes: BlockSizes): AdaptedMap {
  const { rate } = sizes;
  return {
    weight: inputs[name] as tf.Tensor2D,
    adapter:
      rankOf(sizes, name) > 0
        ? { lower: inputs[`${name}Lower`] as tf.Tensor2D, raise: inputs[`${name}Raise`] as tf.Tensor2D }
        : null,
    dropout: rate > 0 ? { rate, seed: 3, label: `block/${name}`, step: 5 } : null,
  };
}

function applied(x: tf.Tensor2D, { weight, adapter, dropout }: AdaptedMap, scale: tf.Scalar): tf.Tensor2D {
  if (!adapter) return tf.matMul(x, weight, false, true);
  return adaptedLinear(x, weight, adapter.lower, adapter.raise, scale, dropout);
}

export function feedForwardCase(title: string, inner: number, sizes: BlockSizes): BlockCase {
  const { width, rank } = sizes;
  const rows = sizes.lengths.reduce((sum, length) => sum + length, 0);
  return {
    title: `feedForwardBlock, ${title}`,
    inputs: {
      x: normalSample(`${title}/x`, [rows, width]),
      norm: normalSample(`${title}/norm`, [width]),
      ...mapSamples(title, 'gate', inner, width, sizes),
      ...mapSamples(title, 'up', inner, width, sizes),
      ...mapSamples(title, 'down', width, inner, sizes),
    },
    open() {
      const scale = tf.scalar(SCALE);
      const map = (inputs: NamedTensors, name: string) => mapOf(inputs, name, sizes);
      return {
        block: (inputs) =>
          feedForwardBlock(inputs.x as tf.Tensor2D, {
            norm: inputs.norm as tf.Tensor1D,
            epsilon: EPSILON,
            gate: map(inputs, 'gate'),
            up: map(inputs, 'up'),
            down: map(inputs, 'down'),
            scale: rank > 0 ? scale : null,
          }),
        kernels: (inputs) => {
          const x = inputs.x as tf.Tensor2D;
          const n = rmsNorm(x, inputs.norm as tf.Tensor1D, EPSILON);
          const hidden = swiglu(applied(n, map(inputs, 'gate'), scale), applied(n, map(inputs, 'up'), scale));
          return tf.add(x, applied(hidden, map(inputs, 'down'), scale));
        },
        constants: [scale],
      };
    },
  };
}

export function attentionBlockCase(
  title: string,
  heads: readonly [query: number, key: number, width: number],
  ranges: (query: number, length: number) => readonly (readonly [number, number])[],
  sizes: BlockSizes,
): BlockCase {
  const { width, rank, lengths } = sizes;
  const [length] = lengths;
  const batch = lengths.length;
  const [queryHeads, keyHeads, headWidth] = heads;
  return {
    title: `attentionBlock, ${title}`,
    inputs: {
      x: normalSample(`${title}/x`, [batch * length!, width]),
      norm: normalSample(`${title}/norm`, [width]),
      ...mapSamples(title, 'query', queryHeads * headWidth, width, sizes),
      ...mapSamples(title, 'key', keyHeads * headWidth, width, sizes),
      ...mapSamples(title, 'value', keyHeads * headWidth, width, sizes),
      ...mapSamples(title, 'output', width, queryHeads * headWidth, sizes),
    },
    open() {
      const scale = tf.scalar(SCALE);
      const positions = Int32Array.from({ length: batch * length! }, (_, i) => (i * 7) % (length! + 3));
      const table = rotaryTable(positions, [batch, length!], headWidth, 1000);
      const limits = new Int32Array(batch * length! * 6);
      for (let row = 0; row < batch * length!; row++) {
        ranges(row % length!, length!).forEach(([start, end], i) => {
          limits.set([start, end], row * 6 + i * 2);
        });
      }
      const mask = attentionMask(limits, { batch, queries: length!, keys: length! });
      const read = sizes.read ? selectRows(sizes.read, batch * length!) : null;
      const chosen = (x: tf.Tensor2D) => (read ? gatherRows(x, read) : x);
      const placed = (x: tf.Tensor2D) =>
        read ? scatterRows(tf.zeros([read.total, x.shape[1]]), x, read) : x;
      const map = (inputs: NamedTensors, name: string) => mapOf(inputs, name, sizes);
      const four = (x: tf.Tensor2D, count: number): tf.Tensor4D =>
        tf.reshape(x, [batch, length!, count, headWidth]);
      return {
        block: (inputs) =>
          attentionBlock(inputs.x as tf.Tensor2D, {
            norm: inputs.norm as tf.Tensor1D,
            epsilon: EPSILON,
            query: map(inputs, 'query'),
            key: map(inputs, 'key'),
            value: map(inputs, 'value'),
            output: map(inputs, 'output'),
            scale: rank > 0 ? scale : null,
            rotary: table,
            mask,
            read,
          }),
        kernels: (inputs) => {
          const x = inputs.x as tf.Tensor2D;
          const n = rmsNorm(x, inputs.norm as tf.Tensor1D, EPSILON);
          const query = rotary(
            four(placed(applied(chosen(n), map(inputs, 'query'), scale)), queryHeads),
            table,
          );
          const key = rotary(four(applied(n, map(inputs, 'key'), scale), keyHeads), table);
          const value = four(applied(n, map(inputs, 'value'), scale), keyHeads);
          const mixed = tf.reshape<tf.Rank.R2>(attention(query, key, value, mask), [
            batch * length!,
            queryHeads * headWidth,
          ]);
          return tf.add(chosen(x), applied(chosen(mixed), map(inputs, 'output'), scale));
        },
        constants: [
          ...[scale, table.cosine, table.sine, mask.ranges, ...(mask.bias ? [mask.bias] : [])],
          ...(read ? [read.rows, read.inverse, read.source] : []),
        ],
      };
    },
  };
}
