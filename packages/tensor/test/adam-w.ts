import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { type AdamWVariables, adamW, withoutLeaks } from '../src/index.js';
import './matchers.js';
import { normalSample } from './sample.js';

const SETTINGS = { learningRate: 0.05, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };
/** One tensor is decayed and one is not; the third is cut into parts where it is fused. */
const SHAPES = [[2, 3], [5], [150, 120]];
const DECAYED = [1, 0, 1];
const SIZES = SHAPES.map((shape) => shape.reduce((product, size) => product * size, 1));
const PARAMETERS = SIZES.reduce((sum, size) => sum + size, 0);

/** Algorithm 2 of the paper, one number at a time, with both bias corrections written out. */
function referenceSteps(
  weights: Float64Array,
  gradients: readonly Float64Array[],
  clip: number,
): Float64Array {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = SETTINGS;
  const flags = SIZES.flatMap((size, i) => Array.from({ length: size }, () => DECAYED[i]!));
  const scales = gradients.map((gradient) => Math.min(1, clip / Math.hypot(...gradient)));
  return weights.map((start, i) => {
    let [weight, mean, variance] = [start, 0, 0];
    gradients.forEach((gradient, t) => {
      const slope = scales[t]! * gradient[i]!;
      mean = beta1 * mean + (1 - beta1) * slope;
      variance = beta2 * variance + (1 - beta2) * slope ** 2;
      const corrected = mean / (1 - beta1 ** (t + 1));
      const scale = Math.sqrt(variance / (1 - beta2 ** (t + 1))) + epsilon;
      weight -= learningRate * (corrected / scale + weightDecay * flags[i]! * weight);
    });
    return weight;
  });
}

/** The tensors of a flat array, in memory of their own. */
function tensorsOf(flat: Float64Array): tf.Tensor[] {
  let start = 0;
  return SHAPES.map((shape, i) => {
    const data = Float32Array.from(flat.subarray(start, start + SIZES[i]!));
    start += SIZES[i]!;
    return tf.tensor(data, shape);
  });
}

const zeros = () => tf.tensor1d(new Float32Array(PARAMETERS));
const numbersOf = ({ weights, state }: AdamWVariables) =>
  [...weights, state.mean, state.variance].flatMap((tensor) => [...tensor.dataSync()]);

/** Declares the tests of the optimiser. */
export function testAdamW(): void {
  const start = normalSample('adam-w', [PARAMETERS]).data;
  const open = (): AdamWVariables => ({
    weights: tensorsOf(start),
    state: { mean: zeros(), variance: zeros() },
  });
  const close = ({ weights, state }: AdamWVariables) => tf.dispose([...weights, state.mean, state.variance]);

  it.each([
    ['without clipping', 1e9],
    ['clipped', 100],
  ])('adamW: six steps %s equal the reference, and leave no tensor behind', async (_, clip) => {
    const gradients = Array.from({ length: 6 }, (_each, t) => normalSample(`adam-w/${t}`, [PARAMETERS]).data);
    gradients[2]!.fill(0);
    await withoutLeaks(() => {
      let variables = open();
      const [decayed, losses] = [tf.tensor1d(DECAYED, 'int32'), tf.tensor1d([1, 2])];
      gradients.forEach((data, t) => {
        const given = tensorsOf(data);
        const next = adamW(variables, given, decayed, losses, { ...SETTINGS, clip, step: t + 1 });
        ({ variables } = next);
        expect(next.norm.dataSync()).toBeAllClose([Math.hypot(...data)], { rtol: 1e-5, atol: 0 });
        tf.dispose([...given, next.norm]);
      });
      const got = variables.weights.flatMap((tensor) => [...tensor.dataSync()]);
      expect(got).toBeAllClose(referenceSteps(start, gradients, clip), { rtol: 1e-5, atol: 1e-6 });
      expect(variables.weights.map(({ shape }) => shape)).toEqual(SHAPES);
      close(variables);
      tf.dispose([decayed, losses]);
    });
  });

  it.each([
    ['a loss', [1, Number.NaN], 0.5],
    ['a gradient', [1, 2], Number.POSITIVE_INFINITY],
  ])('adamW: changes nothing where %s is not finite', async (_, lossNumbers, last) => {
    await withoutLeaks(() => {
      const variables = open();
      const before = numbersOf(variables);
      const slope = normalSample('adam-w/0', [PARAMETERS]).data;
      slope[PARAMETERS - 1] = last;
      const given = tensorsOf(slope);
      const [decayed, losses] = [tf.tensor1d(DECAYED, 'int32'), tf.tensor1d(lossNumbers)];
      const next = adamW(variables, given, decayed, losses, { ...SETTINGS, clip: 1, step: 1 });
      expect(next.variables).toBe(variables);
      expect(Number.isFinite(next.norm.dataSync()[0])).toBe(Number.isFinite(last));
      expect(numbersOf(variables)).toEqual(before);
      close(variables);
      tf.dispose([...given, decayed, losses, next.norm]);
    });
  });

  it('adamW: never changes what others made of the same memory', async () => {
    await withoutLeaks(() => {
      let variables = open();
      const [reshaped, given] = [tf.reshape(variables.weights[2]!, [-1]), tensorsOf(start)];
      const before = [...reshaped.dataSync()];
      const [decayed, losses] = [tf.tensor1d(DECAYED, 'int32'), tf.tensor1d([1])];
      try {
        const next = adamW(variables, given, decayed, losses, { ...SETTINGS, clip: 1, step: 1 });
        ({ variables } = next);
        next.norm.dispose();
      } catch (error) {
        expect((error as Error).message).toContain('expected weights that no one else holds');
      }
      expect([...reshaped.dataSync()]).toEqual(before);
      close(variables);
      tf.dispose([...given, reshaped, decayed, losses]);
    });
  });
}
