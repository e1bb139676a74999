import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { capturedMass } from '../src/index.js';

// The table, state and captured mass are the golden ones of the top-3 mixture, computed with PyTorch in float64.
const TABLE = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [0, 1, 1],
  [-1, 0, 1],
];

describe('capturedMass', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const massOf = (ids: number[], settings: { temperature: number; excluded?: number[] }) =>
    tf.tidy(() => {
      const mass = capturedMass(
        tf.tensor2d([[2, 1, 0.5]]),
        tf.tensor2d(TABLE),
        tf.tensor2d([ids], undefined, 'int32'),
        settings,
      );
      return mass.arraySync()[0]!;
    });

  it('is what the top three tokens hold of the whole softmax', () => {
    expect(massOf([3, 0, 4], { temperature: 1 })).toBeCloseTo(0.874403, 5);
  });

  it('is 1 for the whole vocabulary, and higher where a token outside is excluded', () => {
    expect(massOf([0, 1, 2, 3, 4, 5], { temperature: 2 })).toBeCloseTo(1, 5);
    expect(massOf([3, 0], { temperature: 1, excluded: [4] })).toBeGreaterThan(
      massOf([3, 0], { temperature: 1 }),
    );
  });

  it('leaves no tensor behind but its result, and refuses ids of other rows', () => {
    const before = tf.memory().numTensors;
    massOf([3, 0], { temperature: 1 });
    expect(tf.memory().numTensors).toBe(before);
    tf.tidy(() => {
      const ids = tf.tensor2d([[0], [1]], [2, 1], 'int32');
      expect(() => capturedMass(tf.zeros([1, 3]), tf.tensor2d(TABLE), ids, { temperature: 1 })).toThrow(
        'capturedMass: expected ids [1, k], got [2,1]',
      );
    });
  });
});
