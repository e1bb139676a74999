import { countTensors } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { latentHeadKl, latentKl, weightedHeadNll, weightedNll } from '../src/index.js';

// Computed with PyTorch in float64 and rounded: a teacher over 6 tokens, its renormalised top 3, and a student.
const TEACHER = [0.202183, 0.074379, 0.045113, 0.54959, 0.12263, 0.006105];
const TOP_IDS = [3, 0, 4];
const TOP_ALPHA = [0.628532, 0.231224, 0.140244];
const STUDENT = [0.3, 0.1, -0.2, 0.9, 0.4, 0.0];
const KL_SPARSE = 0.510098;
const KL_SPARSE_SLOPE = [-0.067111, 0.134364, 0.099539, -0.329499, 0.041128, 0.121578];
const KL_FULL = 0.230723;
const NLL_OF_TOKEN_2 = 2.307201;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function expectClose(got: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5): void {
  expect(got.length).toBe(expected.length);
  Array.from(got).forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value} vs ${expected[i]}`).toBeLessThan(
      tolerance,
    );
  });
}

function labelsOf(rows: number, ids: readonly number[] | null, alpha: readonly number[], weights: number[]) {
  const repeated = (row: readonly number[]) => Array.from({ length: rows }, () => [...row]);
  return {
    ids: ids && tf.tensor2d(repeated(ids), [rows, ids.length], 'int32'),
    alpha: tf.tensor2d(repeated(alpha)),
    weights: tf.tensor1d(weights),
  };
}

const softmax = (logits: readonly number[]): number[] => {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
};

describe('latentKl', () => {
  it('equals the golden value and gradient with sparse support', () => {
    tf.tidy(() => {
      const labels = labelsOf(1, TOP_IDS, TOP_ALPHA, [1]);
      const settings = { support: 'sparse', temperature: 1 } as const;
      const { value, grad } = tf.valueAndGrad((logits) => latentKl(logits as tf.Tensor2D, labels, settings))(
        tf.tensor2d([STUDENT]),
      );
      expectClose(value.dataSync(), [KL_SPARSE]);
      expectClose(grad.dataSync(), KL_SPARSE_SLOPE);
    });
  });

  it('equals the golden value with full support, and the tail bucket lies below it', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([STUDENT]);
      const full = labelsOf(1, null, TEACHER, [1]);
      expectClose(latentKl(logits, full, { support: 'full', temperature: 1 }).dataSync(), [KL_FULL]);
      const own = TOP_IDS.map((id) => TEACHER[id]!);
      const student = softmax(STUDENT);
      const rest = (list: readonly number[]) => 1 - list.reduce((sum, value) => sum + value, 0);
      const teacherBuckets = [...own, rest(own)];
      const studentTop = TOP_IDS.map((id) => student[id]!);
      const studentBuckets = [...studentTop, rest(studentTop)];
      const expected = teacherBuckets.reduce((sum, q, i) => sum + q * Math.log(q / studentBuckets[i]!), 0);
      const tail = labelsOf(1, TOP_IDS, own, [1]);
      const value = latentKl(logits, tail, { support: 'sparse+tail', temperature: 1 }).dataSync()[0]!;
      expectClose([value], [expected]);
      // Merging tokens into a bucket can only lose information.
      expect(value).toBeLessThan(KL_FULL);
    });
  });

  it('weighs slots, and scales by the square of the temperature', () => {
    tf.tidy(() => {
      const two = tf.tensor2d([STUDENT, STUDENT]);
      const labels = labelsOf(2, TOP_IDS, TOP_ALPHA, [0.25, 0.5]);
      expectClose(latentKl(two, labels, { support: 'sparse', temperature: 1 }).dataSync(), [
        0.75 * KL_SPARSE,
      ]);
      const warm = tf.tensor2d([STUDENT.map((logit) => 2 * logit)]);
      const one = labelsOf(1, TOP_IDS, TOP_ALPHA, [1]);
      expectClose(latentKl(warm, one, { support: 'sparse', temperature: 2 }).dataSync(), [4 * KL_SPARSE]);
    });
  });

  it('is 0 at the teacher, at least 0 elsewhere, and blind to a shift of the logits', () => {
    const logits = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(logits, logits, fc.double({ min: -9, max: 9, noNaN: true }), (teacher, student, shift) => {
        tf.tidy(() => {
          const labels = labelsOf(1, null, softmax(teacher), [1]);
          const kl = (row: readonly number[]) =>
            latentKl(tf.tensor2d([[...row]]), labels, { support: 'full', temperature: 1 }).dataSync()[0]!;
          expect(Math.abs(kl(teacher))).toBeLessThan(1e-5);
          expect(kl(student)).toBeGreaterThan(-1e-5);
          expectClose([kl(student.map((logit) => logit + shift))], [kl(student)], 2e-5);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a bad temperature and labels of the other support', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([STUDENT]);
      const sparse = labelsOf(1, TOP_IDS, TOP_ALPHA, [1]);
      const full = labelsOf(1, null, TEACHER, [1]);
      expect(() => latentKl(logits, sparse, { support: 'sparse', temperature: 0 })).toThrow(
        'latentKl: expected a temperature above 0, got 0',
      );
      expect(() => latentKl(logits, sparse, { support: 'full', temperature: 1 })).toThrow(
        'expected labels that fit support full, got top-k labels',
      );
      expect(() => latentKl(logits, full, { support: 'sparse+tail', temperature: 1 })).toThrow(
        'expected labels that fit support sparse+tail, got labels over the full vocabulary',
      );
    });
  });
});

describe('weightedNll', () => {
  it('equals the golden value, and weighs its rows', () => {
    tf.tidy(() => {
      const targets = tf.tensor1d([2, 2], 'int32');
      const logits = tf.tensor2d([STUDENT, STUDENT]);
      expectClose(weightedNll(logits, targets, tf.tensor1d([0.5, 0.5])).dataSync(), [NLL_OF_TOKEN_2]);
      expectClose(weightedNll(logits, targets, tf.tensor1d([0.25, 0])).dataSync(), [NLL_OF_TOKEN_2 / 4]);
    });
  });

  it('has the gradient w (softmax - one-hot)', () => {
    tf.tidy(() => {
      const targets = tf.tensor1d([2], 'int32');
      const weights = tf.tensor1d([0.5]);
      const loss = (logits: tf.Tensor) => weightedNll(logits as tf.Tensor2D, targets, weights);
      const slope = tf
        .grad(loss)(tf.tensor2d([STUDENT]))
        .dataSync();
      expectClose(
        slope,
        softmax(STUDENT).map((share, id) => 0.5 * (share - (id === 2 ? 1 : 0))),
      );
    });
  });

  it('refuses weights of another length', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([STUDENT]);
      expect(() => weightedNll(logits, tf.tensor1d([2], 'int32'), tf.tensor1d([1, 1]))).toThrow(
        'weightedNll: expected 1 weights, got 2',
      );
    });
  });
});

it('the losses of hidden states are those of their logits', () => {
  tf.tidy(() => {
    const table = tf
      .tensor2d([STUDENT, TEACHER, STUDENT.map((x) => x * x)], [3, 6])
      .transpose() as tf.Tensor2D;
    const hidden = tf.tensor2d([
      [1, 0.5, -0.3],
      [-0.2, 2, 1],
    ]);
    const logits = tf.matMul<tf.Tensor2D>(hidden, table, false, true);
    const [targets, weights] = [tf.tensor1d([2, 5], 'int32'), tf.tensor1d([0.75, 0.25])];
    expectClose(weightedHeadNll(hidden, table, targets, weights).dataSync(), [
      ...weightedNll(logits, targets, weights).dataSync(),
    ]);
    for (const [support, ids, alpha] of [
      ['sparse', TOP_IDS, TOP_ALPHA],
      ['sparse+tail', TOP_IDS, TOP_ALPHA.map((x) => 0.9 * x)],
      ['full', null, TEACHER],
    ] as const) {
      const labels = labelsOf(2, ids, alpha, [0.5, 0.5]);
      const settings = { support, temperature: 1.5 };
      const expected = [...latentKl(logits, labels, settings).dataSync()];
      expectClose(latentHeadKl(hidden, table, labels, settings).dataSync(), expected);
    }
    expect(() => weightedHeadNll(hidden, table, targets, tf.tensor1d([1]))).toThrow(
      'weightedHeadNll: expected 2 weights, got 1',
    );
    const full = labelsOf(2, null, TEACHER, [0.5, 0.5]);
    expect(() => latentHeadKl(hidden, table, full, { support: 'sparse', temperature: 1 })).toThrow(
      'latentHeadKl: expected labels that fit support sparse, got labels over the full vocabulary',
    );
  });
});

it('the losses leave one tensor each', () => {
  const logits = tf.tensor2d([STUDENT]);
  const targets = tf.tensor1d([2], 'int32');
  const weights = tf.tensor1d([1]);
  const labels = labelsOf(1, TOP_IDS, TOP_ALPHA, [1]);
  const before = countTensors();
  const value = tf.tidy(() => latentKl(logits, labels, { support: 'sparse', temperature: 1 }));
  const nll = tf.tidy(() => weightedNll(logits, targets, weights));
  expect(countTensors()).toBe(before + 2);
  tf.dispose([logits, targets, weights, labels.ids!, labels.alpha, labels.weights, value, nll]);
});
