import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adamW,
  adaptedLinear,
  attention,
  attentionBlock,
  attentionMask,
  crossEntropy,
  dropout,
  fullKl,
  gatherRows,
  headCrossEntropy,
  headSparseKl,
  headTopWords,
  layerNorm,
  mixture,
  rmsNorm,
  rotary,
  rotaryTable,
  rowProducts,
  scatterRows,
  selectRows,
  sparseKl,
  swiglu,
  topWords,
  weightedSum,
} from '../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
  tf.engine().startScope();
});
afterAll(() => tf.engine().endScope());

const vector = (size: number) => tf.zeros<tf.Rank.R1>([size]);
const matrix = (rows: number, columns: number) => tf.zeros<tf.Rank.R2>([rows, columns]);
const heads = (...shape: [number, number, number, number]) => tf.zeros<tf.Rank.R4>(shape);

describe('errors name the function, what it expected and what came', () => {
  it('rmsNorm', () => {
    expect(() => rmsNorm(matrix(2, 3), vector(4), 1e-5)).toThrow('rmsNorm: expected x [..., 4], got [2,3]');
  });

  it('layerNorm', () => {
    expect(() => layerNorm(matrix(2, 3), vector(3), vector(4), 1e-5)).toThrow(
      'layerNorm: expected weight and bias [3] for x [2,3], got [3] and [4]',
    );
  });

  it('attentionBlock, where rows of another matrix are read', () => {
    const map = { weight: matrix(4, 4), adapter: null, dropout: null };
    const maps = { query: map, key: map, value: map, output: map };
    const mask = attentionMask(new Int32Array(3 * 6), { batch: 1, queries: 3, keys: 3 });
    const angles = rotaryTable(new Int32Array(3), [1, 3], 4, 1e4);
    const block = { ...maps, norm: vector(4), epsilon: 1e-5, scale: null, mask, rotary: angles };
    expect(() => attentionBlock(matrix(3, 4), { ...block, read: selectRows([1], 2) })).toThrow(
      'attentionBlock: expected rows out of 1 x 3, got 2',
    );
  });

  it('rotaryTable and rotary', () => {
    expect(() => rotaryTable(new Int32Array(5), [2, 3], 4, 1e4)).toThrow(
      'rotaryTable: expected 2 x 3 positions, got 5',
    );
    expect(() => rotaryTable(new Int32Array(6), [2, 3], 5, 1e4)).toThrow(
      'rotaryTable: expected an even head width, got 5',
    );
    const table = rotaryTable(new Int32Array(6), [2, 3], 4, 1e4);
    expect(() => rotary(heads(2, 3, 1, 6), table)).toThrow('rotary: expected x [2, 3, H, 4], got [2,3,1,6]');
    expect(() => rotary(heads(2, 4, 1, 4), table)).toThrow('rotary: expected x [2, 3, H, 4], got [2,4,1,4]');
  });

  it('adaptedLinear', () => {
    const scale = tf.scalar(1);
    expect(() => adaptedLinear(matrix(2, 3), matrix(4, 3), matrix(1, 3), matrix(4, 2), scale)).toThrow(
      'adaptedLinear: expected x [N, 3], lower [1, 3] and raise [4, 1], got [2,3], [1,3] and [4,2]',
    );
    const whole = { rate: 1, seed: 1, label: 'x', step: 0 };
    expect(() => adaptedLinear(matrix(2, 3), matrix(4, 3), matrix(1, 3), matrix(4, 1), scale, whole)).toThrow(
      'adaptedLinear: expected a rate within [0, 1), got 1',
    );
    scale.dispose();
  });

  it('swiglu', () => {
    expect(() => swiglu(matrix(2, 3), matrix(2, 4))).toThrow(
      'swiglu: expected up [2,3] like gate, got [2,4]',
    );
  });

  it('dropout', () => {
    const draw = { seed: 1, label: 'x', step: 0 };
    for (const rate of [-0.1, 1, Number.NaN]) {
      expect(() => dropout(matrix(2, 3), rate, draw)).toThrow(
        `dropout: expected a rate within [0, 1), got ${rate}`,
      );
    }
    expect(() => dropout(matrix(2, 3), 0.5, { ...draw, step: -1 })).toThrow(
      'dropout: expected a step that is a whole number >= 0, got -1',
    );
  });

  it('attentionMask', () => {
    const shape = { batch: 1, queries: 1, keys: 4 };
    expect(() => attentionMask(Int32Array.of(0, 1), shape)).toThrow(
      'attentionMask: expected 6 range limits, got 2',
    );
    for (const [start, end] of [
      [-1, 2],
      [2, 5],
      [3, 2],
    ] as const) {
      expect(() => attentionMask(Int32Array.of(0, 0, 0, 0, start, end), shape)).toThrow(
        `attentionMask: expected ranges within [0, 4), got [${start}, ${end}) at query 0`,
      );
    }
    for (const ranges of [
      [0, 2, 1, 3, 0, 0],
      [2, 3, 0, 0, 0, 1],
    ]) {
      expect(() => attentionMask(Int32Array.from(ranges), shape)).toThrow(
        /^attentionMask: expected sorted, disjoint ranges, got \[\d, \d\) after \[\d, \d\) at query 0$/,
      );
    }
    attentionMask(Int32Array.of(0, 2, 0, 0, 2, 3), shape).dispose();
  });

  it('attention', () => {
    const mask = attentionMask(new Int32Array(2 * 3 * 6), { batch: 2, queries: 3, keys: 5 });
    const query = heads(2, 3, 4, 8);
    const key = heads(2, 5, 2, 8);
    for (const wrong of [heads(1, 5, 2, 8), heads(2, 5, 2, 6), heads(2, 5, 3, 8)]) {
      expect(() => attention(query, wrong, wrong, mask)).toThrow(
        `attention: expected key [2, S, G, 8] with H % G == 0, got [${wrong.shape}] for H=4`,
      );
    }
    expect(() => attention(query, key, heads(2, 5, 2, 4), mask)).toThrow(
      'attention: expected value [2,5,2,8] like key, got [2,5,2,4]',
    );
    const longer = heads(2, 6, 2, 8);
    expect(() => attention(query, longer, longer, mask)).toThrow(
      'attention: expected a mask of 2 x 3 x 6, got 2 x 3 x 5',
    );
  });

  it('selectRows, gatherRows and scatterRows', () => {
    for (const row of [-1, 3, 0.5, Number.NaN]) {
      expect(() => selectRows([0, row], 3)).toThrow(`selectRows: expected rows within [0, 3), got ${row}`);
    }
    expect(() => selectRows([1, 1], 3)).toThrow('selectRows: expected distinct rows, got 1 twice');
    const selection = selectRows([2, 0], 3);
    expect(() => gatherRows(matrix(4, 2), selection)).toThrow('gatherRows: expected x [3, D], got [4,2]');
    for (const [base, values] of [
      [matrix(4, 2), matrix(2, 2)],
      [matrix(3, 2), matrix(3, 2)],
      [matrix(3, 2), matrix(2, 5)],
    ] as const) {
      expect(() => scatterRows(base, values, selection)).toThrow(
        `scatterRows: expected base [3, D] and values [2, D], got [${base.shape}] and [${values.shape}]`,
      );
    }
  });

  it('headCrossEntropy and headSparseKl', () => {
    const targets = tf.tensor1d([1, 0], 'int32');
    expect(() => headCrossEntropy(matrix(2, 5), matrix(3, 4), targets)).toThrow(
      'headCrossEntropy: expected hidden [R, 4] like table [3,4], got [2,5]',
    );
    expect(() => headCrossEntropy(matrix(3, 4), matrix(3, 4), targets)).toThrow(
      'headCrossEntropy: expected 3 targets for hidden [3,4], got 2',
    );
    const ids = tf.zeros<tf.Rank.R2>([2, 3], 'int32');
    expect(() => headSparseKl(matrix(2, 4), matrix(5, 4), ids, matrix(2, 2))).toThrow(
      'headSparseKl: expected ids and probabilities [2, k], got [2,3] and [2,2]',
    );
  });

  it('crossEntropy, fullKl and sparseKl', () => {
    expect(() => crossEntropy(matrix(2, 5), tf.tensor1d([1], 'int32'))).toThrow(
      'crossEntropy: expected 2 targets for logits [2,5], got 1',
    );
    expect(() => fullKl(matrix(2, 5), matrix(2, 4))).toThrow(
      'fullKl: expected probabilities [2,5] like logits, got [2,4]',
    );
    const ids = tf.zeros<tf.Rank.R2>([2, 3], 'int32');
    expect(() => sparseKl(matrix(2, 5), ids, matrix(2, 2))).toThrow(
      'sparseKl: expected ids and probabilities [2, k], got [2,3] and [2,2]',
    );
    expect(() => sparseKl(matrix(4, 5), ids, matrix(2, 3))).toThrow(
      'sparseKl: expected ids and probabilities [4, k], got [2,3] and [2,3]',
    );
  });

  it('rowProducts', () => {
    const ids = tf.zeros<tf.Rank.R2>([2, 3], 'int32');
    expect(() => rowProducts(matrix(2, 5), ids, matrix(5, 4))).toThrow(
      'rowProducts: expected ids [2, k] and a table [V, 5], got [2,3] and [5,4]',
    );
    expect(() => rowProducts(matrix(1, 4), ids, matrix(5, 4))).toThrow(
      'rowProducts: expected ids [1, k] and a table [V, 4], got [2,3] and [5,4]',
    );
  });

  it('mixture', () => {
    expect(() => mixture(matrix(2, 3), tf.zeros<tf.Rank.R2>([2, 2], 'int32'), matrix(5, 4))).toThrow(
      'mixture: expected ids [2,3] like alpha, got [2,2]',
    );
  });

  it('weightedSum', () => {
    expect(() => weightedSum(tf.zeros([3]), tf.zeros([2]))).toThrow('weightedSum: expected 3 weights, got 2');
  });

  it('topWords', () => {
    expect(() => topWords(matrix(2, 3), 4)).toThrow('topWords: expected a count from 1 to 3, got 4');
    expect(() => topWords(matrix(2, 3), 0)).toThrow('topWords: expected a count from 1 to 3, got 0');
    expect(() => topWords(matrix(2, 3), 1, [3])).toThrow(
      'topWords: expected excluded words within [0, 3), got 3',
    );
    expect(() => headTopWords(matrix(2, 3), matrix(5, 4), 1)).toThrow(
      'headTopWords: expected a table [V, 3] like hidden, got [5,4]',
    );
    expect(() => headTopWords(matrix(2, 4), matrix(5, 4), 6)).toThrow(
      'headTopWords: expected a count from 1 to 5, got 6',
    );
  });

  it('adamW', () => {
    const settings = {
      ...{ learningRate: 1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: 0, clip: 1 },
      step: 1,
    };
    const of = (length: number) => ({
      weights: [vector(1), vector(2)],
      state: { mean: vector(3), variance: vector(length) },
    });
    const [flags, losses] = [tf.tensor1d([1, 0], 'int32'), vector(1)];
    expect(() => adamW(of(3), [vector(1), vector(3)], flags, losses, settings)).toThrow(
      'adamW: expected gradients [1], [2] like the weights, got [1], [3]',
    );
    expect(() => adamW(of(4), [vector(1), vector(2)], flags, losses, settings)).toThrow(
      'adamW: expected a state of 3 numbers and 2 flags, got 3, 4, 2',
    );
    for (const step of [0, -1, Number.NaN]) {
      expect(() => adamW(of(3), [vector(1), vector(2)], flags, losses, { ...settings, step })).toThrow(
        `adamW: expected a step from 1 on, got ${step}`,
      );
    }
  });
});
