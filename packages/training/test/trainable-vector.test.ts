import type { NamedArray, Parameters } from '@latent-sft/model';
import { randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type Loss, type OptimiserSettings, TrainableVector } from '../src/index.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const SETTINGS: OptimiserSettings = {
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clip: 1e9,
};
const GOAL = [3, -1, 0.5, 2, 0, -4];

function initial(seed = 1): Map<string, NamedArray> {
  const draws = randomStream(seed, 'initial').normal(8);
  return new Map([
    ['matrix', { shape: [2, 3], data: draws.slice(0, 6) }],
    ['norm', { shape: [2], data: draws.slice(6) }],
  ]);
}

/** 1/2 sum (matrix - goal)^2 + 1/4 sum norm^4: gradients matrix - goal and norm^3. */
function lossOf(parameters: Parameters): Loss {
  const far = tf.sum(tf.square(tf.sub(parameters.get('matrix')!, tf.tensor2d(GOAL, [2, 3]))));
  const loss: tf.Scalar = tf.add(tf.mul(0.5, far), tf.mul(0.25, tf.sum(tf.pow(parameters.get('norm')!, 4))));
  return { loss, parts: { far: far as tf.Scalar } };
}

/** AdamW with decoupled decay (Loshchilov and Hutter, 2019, algorithm 2) and a clipped gradient, in float64. */
function referenceDescent(rates: readonly number[], settings: OptimiserSettings) {
  const { beta1, beta2, epsilon, weightDecay, clip } = settings;
  const weights = [...initial().values()].flatMap(({ data }) => [...data]);
  const mean = weights.map(() => 0);
  const variance = weights.map(() => 0);
  const norms = rates.map((rate, t) => {
    const gradient = weights.map((w, i) => (i < 6 ? w - GOAL[i]! : w ** 3));
    const norm = Math.hypot(...gradient);
    gradient.forEach((slope, i) => {
      const clipped = slope * Math.min(1, clip / norm);
      mean[i] = beta1 * mean[i]! + (1 - beta1) * clipped;
      variance[i] = beta2 * variance[i]! + (1 - beta2) * clipped ** 2;
      const step = mean[i]! / (1 - beta1 ** (t + 1));
      const scale = Math.sqrt(variance[i]! / (1 - beta2 ** (t + 1))) + epsilon;
      // The vector of one axis is a norm's weight, and is not decayed.
      weights[i]! -= rate * (step / scale + (i < 6 ? weightDecay : 0) * weights[i]!);
    });
    return norm;
  });
  return { weights, norms };
}

const numbersOf = (arrays: ReadonlyMap<string, NamedArray>) =>
  [...arrays.values()].flatMap(({ data }) => [...data]);

describe('TrainableVector', () => {
  it.each([
    ['without clipping', 1e9],
    ['with the gradient clipped', 0.5],
  ])('descends as AdamW written out does, %s', (_, clip) => {
    const rates = [0.1, 0.05, 0.2, 0.1, 0.01, 0.1];
    const settings = { ...SETTINGS, clip };
    const vector = new TrainableVector(initial());
    const reports = rates.map((rate, t) => vector.descend([lossOf], t + 1, rate, settings));
    const { weights, norms } = referenceDescent(rates, settings);
    numbersOf(vector.arrays()).forEach((got, i) => {
      expect(got).toBeCloseTo(weights[i]!, 4);
    });
    // The reported norm is the one before clipping.
    reports.forEach(({ gradientNorm }, t) => {
      expect(gradientNorm).toBeCloseTo(norms[t]!, 3);
    });
    vector.dispose();
  });

  it('reports the loss and its parts, and gives parameters and arrays in their shapes', () => {
    const vector = new TrainableVector(initial());
    const [matrix, norm] = [...initial().values()].map(({ data }) => [...data]);
    const far = matrix!.reduce((sum, w, i) => sum + (w - GOAL[i]!) ** 2, 0);
    const report = vector.descend([lossOf], 1, 0.1, SETTINGS);
    expect(report.parts.far).toBeCloseTo(far, 4);
    expect(report.loss).toBeCloseTo(far / 2 + norm!.reduce((sum, w) => sum + w ** 4, 0) / 4, 4);
    expect(vector.parameters.get('matrix')!.shape).toEqual([2, 3]);
    expect([...vector.parameters.get('norm')!.dataSync()]).toEqual([...vector.arrays().get('norm')!.data]);
    expect(vector.arrays().get('matrix')!.shape).toEqual([2, 3]);
    vector.dispose();
  });

  it('goes on from a snapshot to the same bits', () => {
    const whole = new TrainableVector(initial());
    for (let step = 1; step <= 3; step++) whole.descend([lossOf], step, 0.1, SETTINGS);
    const snapshot = whole.snapshot();
    const resumed = new TrainableVector(initial(2));
    resumed.restore(snapshot);
    for (let step = 4; step <= 6; step++) {
      for (const vector of [whole, resumed]) vector.descend([lossOf], step, 0.1, SETTINGS);
    }
    expect(resumed.snapshot()).toEqual(whole.snapshot());
    expect(resumed.arrays()).toEqual(whole.arrays());
    whole.dispose();
    resumed.dispose();
  });

  it('refuses a snapshot of another size, and stays as it was', () => {
    const vector = new TrainableVector(initial());
    const before = vector.snapshot();
    const short = new Map(before).set('variance', { shape: [3], data: new Float32Array(3) });
    expect(() => vector.restore(short)).toThrow('restore: expected variance of 8 numbers, got 3');
    expect(() => vector.restore(new Map())).toThrow('restore: expected weights of 8 numbers, got none');
    expect(vector.snapshot()).toEqual(before);
    vector.dispose();
  });

  it.each([
    ['a loss', (x: tf.Tensor) => tf.log(tf.mul(-1, tf.sum(tf.square(x)))), 'got loss NaN'],
    ['a gradient', (x: tf.Tensor) => tf.sum(tf.sqrt(tf.mul(0, x))), 'got gradient norm NaN'],
  ] as const)(
    'refuses %s that is not finite, and leaves weights, state and tensors as they were',
    (_, bad, what) => {
      const vector = new TrainableVector(initial());
      vector.descend([lossOf], 1, 0.1, SETTINGS);
      const snapshot = vector.snapshot();
      const before = countTensors();
      const broken = (parameters: Parameters): Loss => {
        const { loss, parts } = lossOf(parameters);
        return { loss: tf.add(loss, bad(parameters.get('matrix')!)), parts };
      };
      expect(() => vector.descend([broken], 2, 0.1, SETTINGS)).toThrow(
        `descend: expected a finite loss and gradient at step 2, ${what}`,
      );
      expect(vector.snapshot()).toEqual(snapshot);
      expect(countTensors()).toBe(before);
      vector.dispose();
    },
  );

  it('keeps as many tensors however long it descends, and none once disposed', () => {
    const before = countTensors();
    const vector = new TrainableVector(initial());
    const held = countTensors();
    for (let step = 1; step <= 3; step++) vector.descend([lossOf], step, 0.1, { ...SETTINGS, clip: step });
    vector.restore(vector.snapshot());
    vector.arrays();
    expect(countTensors()).toBe(held);
    vector.dispose();
    expect(countTensors()).toBe(before);
  });
});
