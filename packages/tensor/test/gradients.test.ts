import * as tf from '@tensorflow/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  checkpointed,
  countTensors,
  rmsNorm,
  swiglu,
  valueAndGradients,
  withoutLeaks,
} from '../src/index.js';
import { backends } from './backends.js';
import { normalSample } from './sample.js';

const random = (title: string, ...shape: number[]) =>
  tf.tensor(Float32Array.from(normalSample(title, shape, 0.5).data), shape);

/** Functions of a matrix x [3, 4], a matrix y [4, 4] and a vector z [4]. */
const FUNCTIONS: Record<string, (x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => tf.Tensor> = {
  'an input used many times': (x, y, z) => {
    const shared = tf.mul(x, x);
    return tf.sum(tf.add(tf.mul(shared, x), tf.add(tf.mul(shared, z), tf.matMul(shared, y))));
  },
  'an operation with several outputs, one of them unused': (x, y, z) => {
    const [first, , third] = tf.split(tf.matMul(x, y), [1, 2, 1], 1);
    return tf.sum(tf.add(tf.mul(first!, z), tf.square(third!)));
  },
  'work that does not lead to the value': (x, y, z) => {
    tf.sum(tf.exp(tf.matMul(x, y)));
    return tf.sum(tf.matMul(tf.mul(x, z), y));
  },
  'gradients that are the same tensor': (x, y, z) => {
    const both = tf.customGrad((a, b) => ({
      value: tf.add(a as tf.Tensor, b as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => [dy, dy],
    }));
    const sum = both(tf.mul(x, z), tf.matMul(x, y));
    return tf.mean(tf.square(both(sum, sum)));
  },
  'a saved tensor as a gradient': (x, y, z) => {
    const odd = tf.customGrad((a, save) => {
      (save as tf.GradSaveFunc)([a as tf.Tensor]);
      return { value: tf.square(a as tf.Tensor), gradFunc: (_dy: tf.Tensor, saved) => saved[0]! };
    });
    return tf.sum(tf.add(odd(tf.matMul(x, y)), z));
  },
  'our kernels, and a part computed again': (x, y, z) => {
    const block = ([a, b, c]: readonly tf.Tensor[]) => {
      const normed = rmsNorm(a as tf.Tensor2D, c as tf.Tensor1D, 1e-5);
      return tf.add(a!, swiglu(tf.matMul(normed, b as tf.Tensor2D), normed));
    };
    return tf.sum(tf.square(checkpointed([block([x, y, z]), y, z], block)));
  },
  'a value that is not a scalar': (x, y, z) => tf.add(tf.matMul(x, y), z),
};

describe.each(backends.filter(({ missing }) => missing === undefined))(
  'valueAndGradients on $name',
  ({ name }) => {
    beforeEach(async () => {
      await tf.setBackend(name);
    });

    const openInputs = () => [random('x', 3, 4), random('y', 4, 4), random('z', 4)];

    it.each(Object.entries(FUNCTIONS))('gives the bits of tf.valueAndGrads: %s', async (_, compute) => {
      await withoutLeaks(() => {
        const inputs = openInputs();
        const [x, y, z] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
        const before = inputs.map((input) => [...input.dataSync()]);
        const expected = tf.valueAndGrads((...given: tf.Tensor[]) =>
          compute(given[0]!, given[1]!, given[2]!),
        )(inputs);
        const { value, gradients } = valueAndGradients(() => compute(x, y, z), inputs);
        const numbers = (tensors: readonly (tf.Tensor | null)[]) =>
          tensors.map((each) => [...each!.dataSync()]);
        expect(numbers([value, ...gradients])).toEqual(numbers([expected.value, ...expected.grads]));
        expect(gradients.map((gradient) => gradient!.shape)).toEqual(inputs.map(({ shape }) => shape));
        expect(numbers(inputs)).toEqual(before);
        tf.dispose([value, expected.value, ...expected.grads, ...inputs]);
        tf.dispose(gradients as tf.Tensor[]);
      });
    });

    it('takes the gradient of the value, an input twice, and one without a gradient', async () => {
      await withoutLeaks(() => {
        const [x, y] = [random('x', 3, 4), random('y', 4, 4)];
        const weight = random('weight', 3, 4);
        const { value, gradients } = valueAndGradients(() => tf.square(x), [x, y, x], weight);
        const expected = tf.tidy(() => [...tf.mul(weight, tf.mul(2, x)).dataSync()]);
        expect(gradients[1]).toBe(null);
        expect([...gradients[0]!.dataSync()]).toEqual(expected);
        gradients[0]!.dispose();
        expect([...gradients[2]!.dataSync()]).toEqual(expected);
        tf.dispose([value, gradients[2]!, x, y, weight]);
      });
    });

    it('frees what it no longer needs: the backward pass holds no more than the forward pass', () => {
      const x = random('x', 3, 4);
      const held: number[] = [];
      const seen = (value: tf.Tensor) =>
        tf.customGrad((a) => ({
          value: tf.clone(a as tf.Tensor),
          gradFunc: (dy: tf.Tensor) => {
            held.push(countTensors());
            return tf.clone(dy);
          },
        }))(value);
      const chain = () => {
        let y: tf.Tensor = x;
        for (let i = 0; i < 20; i++) y = seen(tf.tanh(y));
        return tf.sum(y) as tf.Scalar;
      };
      const { value, gradients } = valueAndGradients(chain, [x]);
      expect(held.length).toBe(20);
      // every step backwards frees the saved tensor of one tanh
      for (let i = 1; i < held.length; i++) expect(held[i]! - held[i - 1]!).toBe(-1);
      tf.dispose([value, x, gradients[0]!]);
    });

    it('refuses gradients of gradients, and leaves nothing behind after an error', async () => {
      const x = random('x', 3, 4);
      await withoutLeaks(() => {
        const inner = () => tf.sum(valueAndGradients(() => tf.sum(tf.square(x)), [x]).value);
        expect(() => valueAndGradients(inner, [x])).toThrow(
          'valueAndGradients: expected first gradients only, got gradients of one',
        );
        const broken = () => {
          tf.tanh(tf.square(x));
          throw new Error('broken');
        };
        expect(() => valueAndGradients(broken, [x])).toThrow('broken');
        const cut = () => tf.sum(tf.topk(tf.square(x), 2).values);
        expect(() => valueAndGradients(cut, [x])).toThrow('expected a gradient of TopK, got none');
      });
      x.dispose();
    });
  },
);
