import * as tf from '@tensorflow/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkpointed, countTensors, rmsNorm, swiglu, withoutLeaks } from '../src/index.js';
import { backends } from './backends.js';
import { normalSample } from './sample.js';

const BLOCKS = 12;
const WIDTH = 8;

const random = (title: string, ...shape: number[]) => {
  const { data } = normalSample(title, shape, 0.5);
  return tf.tensor(Float32Array.from(data), shape);
};

/** x + swiglu(norm(x) A) B, with both weights and the norm's. */
function block([x, norm, raise, lower]: readonly tf.Tensor[]): tf.Tensor {
  const normed = rmsNorm(x as tf.Tensor2D, norm as tf.Tensor1D, 1e-5);
  const raised = tf.matMul(normed, raise as tf.Tensor2D);
  return tf.add(x!, tf.matMul(swiglu(raised, tf.square(raised)), lower as tf.Tensor2D));
}

const weightsOf = (name: string) => [
  random(`${name}/norm`, WIDTH),
  random(`${name}/raise`, WIDTH, 2 * WIDTH),
  random(`${name}/lower`, 2 * WIDTH, WIDTH),
];

/** Gradients of a stack of blocks to the chosen ones of its inputs, and how many tensors its forward pass held. */
function gradients(inputs: tf.Tensor[], wanted: readonly number[], checkpoint: boolean) {
  let held = 0;
  const stack = (...values: tf.Tensor[]) => {
    const all = [...inputs];
    wanted.forEach((place, i) => {
      all[place] = values[i]!;
    });
    const before = countTensors();
    let x = all[0]!;
    for (let i = 0; i < BLOCKS; i++) {
      const parts = [x, ...all.slice(1 + 3 * i, 4 + 3 * i)];
      x = checkpoint ? checkpointed(parts, block) : block(parts);
    }
    held = countTensors() - before;
    return tf.sum(tf.square(x));
  };
  const chosen = wanted.map((place) => inputs[place]!);
  const { value, grads } = tf.valueAndGrads(stack)(chosen);
  const numbers = [value, ...grads].map((tensor) => [...tensor.dataSync()]);
  tf.dispose([value, ...grads]);
  return { numbers, held };
}

describe.each(backends.filter(({ missing }) => missing === undefined))(
  'checkpointed on $name',
  ({ name }) => {
    beforeEach(async () => {
      await tf.setBackend(name);
    });

    const openInputs = () => [
      random('x', 5, WIDTH),
      ...Array.from({ length: BLOCKS }, (_, i) => weightsOf(`block ${i}`)).flat(),
    ];

    it('gives the same gradients to the bit, holds fewer tensors, and leaves none', async () => {
      await withoutLeaks(() => {
        const inputs = openInputs();
        const all = inputs.map((_, i) => i);
        const plain = gradients(inputs, all, false);
        const kept = gradients(inputs, all, true);
        expect(kept.numbers).toEqual(plain.numbers);
        expect(kept.numbers.flat().every(Number.isFinite)).toBe(true);
        // an output and its four inputs, against every intermediate result
        expect(kept.held).toBe(BLOCKS * 5);
        expect(plain.held).toBeGreaterThan(2 * kept.held);
        tf.dispose(inputs);
      });
    });

    it.each([
      ['of the first input only', [0]],
      ['of one weight in the middle', [17]],
      ['of the last weight', [3 * BLOCKS]],
    ])('computes a gradient %s, and none for what is frozen', (_which, wanted) => {
      const inputs = openInputs();
      const plain = gradients(inputs, wanted, false);
      expect(gradients(inputs, wanted, true).numbers).toEqual(plain.numbers);
      tf.dispose(inputs);
    });

    it('computes again only what a gradient passes through', () => {
      const inputs = openInputs();
      let calls = 0;
      const counted = (parts: readonly tf.Tensor[]) => {
        calls++;
        return block(parts);
      };
      const weight = tf.tidy(() => {
        const early = checkpointed(inputs.slice(0, 4), counted);
        return tf.grad((x) =>
          tf.sum(
            checkpointed(
              [checkpointed([early, ...inputs.slice(4, 7)], counted), x, ...inputs.slice(8, 10)],
              counted,
            ),
          ),
        )(inputs[7]!);
      });
      expect(calls).toBe(4);
      tf.dispose([weight, ...inputs]);
    });

    it('nests', () => {
      const inputs = openInputs();
      const outer = (parts: readonly tf.Tensor[]) =>
        checkpointed([checkpointed(parts.slice(0, 4), block), ...parts.slice(4)], block);
      const plain = (parts: readonly tf.Tensor[]) => block([block(parts.slice(0, 4)), ...parts.slice(4)]);
      const [nested, direct] = [(p: readonly tf.Tensor[]) => checkpointed(p, outer), plain].map((run) =>
        tf.tidy(() =>
          tf
            .grads((...parts) => tf.sum(run(parts)))(inputs.slice(0, 7))
            .map((g) => [...g.dataSync()]),
        ),
      );
      expect(nested).toEqual(direct);
      tf.dispose(inputs);
    });

    it('gives zeros for an input that the block does not use', () => {
      const gradient = tf.tidy(() =>
        tf
          .grad((x) => tf.sum(checkpointed([x, tf.ones([2])], ([, y]) => tf.square(y!))))(tf.ones([3]))
          .dataSync(),
      );
      expect([...gradient]).toEqual([0, 0, 0]);
    });

    it('is a plain call where no gradient is recorded', async () => {
      const x = tf.tensor1d([1, 2]);
      const y = await withoutLeaks(() => checkpointed([x], ([value]) => tf.square(value!)), 1);
      expect([...y.dataSync()]).toEqual([1, 4]);
      tf.dispose([x, y]);
    });

    it('refuses gradients of gradients, and leaves tfjs able to go on', () => {
      const cube = (x: tf.Tensor) => checkpointed([x], ([value]) => tf.pow(value!, 3));
      const twice = () =>
        tf.tidy(() =>
          tf
            .grad((x) => tf.grad(cube)(x))(tf.scalar(2))
            .dataSync(),
        );
      expect(twice).toThrow('checkpointed: expected first gradients only, got gradients of one');
      tf.engine().reset();
    });

    it('passes on what the block throws in the backward pass', () => {
      let calls = 0;
      const broken = ([x]: readonly tf.Tensor[]) => {
        if (++calls === 2) throw new Error('broken');
        return tf.square(x!);
      };
      expect(() => tf.tidy(() => tf.grad((x) => checkpointed([x], broken))(tf.scalar(2)))).toThrow('broken');
      expect(
        tf.tidy(
          () =>
            tf
              .grad((x) => checkpointed([x], ([v]) => tf.square(v!)))(tf.scalar(2))
              .dataSync()[0],
        ),
      ).toBe(4);
    });
  },
);
