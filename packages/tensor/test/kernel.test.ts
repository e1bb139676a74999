import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  crossEntropy,
  defineKernel,
  fullKl,
  type KernelImplementation,
  kernelNames,
  overrideKernel,
  registerKernels,
  runKernel,
  swiglu,
  valueAndGradients,
  withoutLeaks,
} from '../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** silu(gate) * up for a gate of 0 and an up of 1 is 0; these give themselves away. */
const constant = (value: number): KernelImplementation => ({
  forward: ({ gate }) => [tf.fill(gate!.shape, value)],
  backward: ({ outputGradients: [dy] }) => ({
    gate: () => tf.mul(dy!, value),
    up: () => tf.mul(dy!, -value),
  }),
});

function runSwiglu(): { output: number; gradients: number[] } {
  return tf.tidy(() => {
    const inputs = [tf.scalar(0), tf.scalar(1)];
    const gradients = tf.grads((gate, up) => swiglu(gate!, up!))(inputs);
    return {
      output: swiglu(inputs[0]!, inputs[1]!).dataSync()[0]!,
      gradients: gradients.map((gradient) => gradient.dataSync()[0]!),
    };
  });
}

const COMPOSED = { output: 0, gradients: [0.5, 0] };

describe('overrideKernel', () => {
  it('replaces forward and backward on its backend until taken back', () => {
    expect(runSwiglu()).toEqual(COMPOSED);
    const takeBack = overrideKernel('LatentSwiglu', 'cpu', constant(7));
    expect(runSwiglu()).toEqual({ output: 7, gradients: [7, -7] });
    takeBack();
    expect(runSwiglu()).toEqual(COMPOSED);
  });

  it('leaves other backends alone', () => {
    const takeBack = overrideKernel('LatentSwiglu', 'another', constant(7));
    expect(runSwiglu()).toEqual(COMPOSED);
    takeBack();
  });

  it('brings the implementation before it back', () => {
    const takeFirst = overrideKernel('LatentSwiglu', 'cpu', constant(7));
    const takeSecond = overrideKernel('LatentSwiglu', 'cpu', constant(9));
    expect(runSwiglu().output).toBe(9);
    takeSecond();
    expect(runSwiglu().output).toBe(7);
    takeFirst();
    expect(runSwiglu()).toEqual(COMPOSED);
  });

  it('throws for a name that no kernel has', () => {
    expect(() => overrideKernel('Swiglu', 'cpu', constant(7))).toThrow(
      /^overrideKernel: expected one of .*LatentSwiglu.*, got Swiglu$/,
    );
  });
});

describe('kernels', () => {
  it('has the kernels of the package', () => {
    expect(kernelNames().sort()).toEqual([
      'LatentAdamW',
      'LatentAdaptedLinear',
      'LatentAttention',
      'LatentAttentionBlock',
      'LatentCacheAppend',
      'LatentCachePrompts',
      'LatentCrossEntropy',
      'LatentDecoderStep',
      'LatentDropout',
      'LatentEmbedding',
      'LatentFeedForward',
      'LatentFullKl',
      'LatentGatherRows',
      'LatentGelu',
      'LatentHeadCrossEntropy',
      'LatentHeadSparseKl',
      'LatentHeadTopWords',
      'LatentLayerNorm',
      'LatentMixture',
      'LatentPackWeights',
      'LatentPackedProduct',
      'LatentRmsNorm',
      'LatentRotary',
      'LatentRowProducts',
      'LatentScatterRows',
      'LatentSparseKl',
      'LatentSwiglu',
      'LatentTopWords',
      'LatentWeightedSum',
    ]);
  });

  it('gives a kernel what may be left out as an empty tensor, and refuses to run without anything else', () => {
    const kernel = defineKernel({
      name: 'TestOptionalSum',
      inputs: ['x', 'y'],
      optional: ['y'],
      outputs: 1,
      saved: { inputs: [], outputs: [] },
      composition: {
        forward: ({ x, y }) => [y!.size > 0 ? tf.add(x!, y!) : tf.clone(x!)],
        backward: () => ({}),
      },
    });
    tf.tidy(() => {
      const [x, y] = [tf.scalar(3), tf.scalar(4)];
      expect(runKernel(kernel, { x, y })[0]!.dataSync()[0]).toBe(7);
      expect(runKernel(kernel, { x })[0]!.dataSync()[0]).toBe(3);
      expect(() => runKernel(kernel, { y })).toThrow(
        'runKernel: expected an input x of TestOptionalSum, got y',
      );
    });
  });

  it('runs a kernel that somebody else defines, with settings and several outputs', () => {
    const kernel = defineKernel({
      name: 'TestScaleAndSquare',
      inputs: ['x'],
      outputs: 2,
      saved: { inputs: ['x'], outputs: [] },
      composition: {
        forward: ({ x }, { factor }) => [tf.mul(x!, factor as number), tf.square(x!)],
        backward: ({ outputGradients: [scaled, squared], inputs: { x }, attributes: { factor } }) => ({
          x: () => tf.add(tf.mul(scaled!, factor as number), tf.mul(squared!, tf.mul(x!, 2))),
        }),
      },
    });
    tf.tidy(() => {
      const both = (x: tf.Tensor) => {
        const [scaled, squared] = runKernel(kernel, { x }, { factor: 5 });
        return tf.add(scaled!, tf.mul(squared!, 100));
      };
      expect(both(tf.scalar(3)).dataSync()[0]).toBe(915);
      expect(tf.grad(both)(tf.scalar(3)).dataSync()[0]).toBe(605);
    });
    expect(() => defineKernel(kernel)).toThrow(
      'defineKernel: expected a new kernel name, got TestScaleAndSquare twice',
    );
  });

  it.each([false, true])('makes zeros for an output that nobody reads only where asked, %s', (asked) => {
    const kernel = defineKernel({
      name: `TestUnread${asked}`,
      inputs: ['x'],
      outputs: 2,
      saved: { inputs: ['x'], outputs: [1] },
      composition: {
        forward: ({ x }) => [tf.mul(x!, 2), tf.fill([7], 1)],
        backward: ({ outputGradients }) => ({
          x: () => {
            const twice = tf.mul(outputGradients[0]!, 2);
            return asked ? tf.add(twice, tf.sum(outputGradients[1]!)) : twice;
          },
        }),
      },
    });
    const made = vi.spyOn(tf.engine(), 'makeTensor');
    tf.tidy(() => {
      const gradient = tf.grad((x) => runKernel(kernel, { x })[0]!)(tf.scalar(3));
      expect(gradient.dataSync()[0]).toBe(2);
    });
    const shapes = made.mock.calls.map(([, shape]) => String(shape));
    made.mockRestore();
    expect(shapes.filter((shape) => shape === '7')).toHaveLength(asked ? 1 : 0);
  });

  it('registers on a backend as often as it is asked', () => {
    registerKernels('cpu');
    registerKernels('cpu');
    expect(runSwiglu()).toEqual(COMPOSED);
  });

  it('names the input that has no gradient', () => {
    const logits = tf.tensor2d([1, 2], [1, 2]);
    const q = tf.tensor2d([0.5, 0.5], [1, 2]);
    expect(() => tf.grad((x) => fullKl(logits, x as tf.Tensor2D))(q)).toThrow(
      'LatentFullKl: expected a differentiable input, got probabilities',
    );
    expect(() => tf.grad((x) => crossEntropy(logits, x as tf.Tensor1D))(tf.tensor1d([0], 'int32'))).toThrow(
      'LatentCrossEntropy: expected a differentiable input, got targets',
    );
    tf.dispose([logits, q]);
  });
});

describe('a fused kernel', () => {
  /** x y, which needs both for its gradient. */
  let product: ReturnType<typeof defineKernel>;
  let takeBack: () => void;
  const fused: KernelImplementation = {
    forward: ({ x, y }) => [tf.mul(x!, y!), tf.add(x!, 100)],
    backward: ({ outputGradients: [dy], inputs: { x, y }, outputs: [, kept], wanted }) => ({
      x: () => tf.mul(dy!, y!),
      // of the output that it saved; and not asked for where x alone moves
      y: () => (wanted.has('y') ? tf.mul(dy!, tf.sub(kept!, 100)) : tf.mul(x!, Number.NaN)),
    }),
  };
  const run = (x: tf.Tensor, y: tf.Tensor) => runKernel(product, { x, y })[0]!;

  beforeAll(() => {
    product = defineKernel({
      name: 'TestProduct',
      inputs: ['x', 'y'],
      outputs: 2,
      saved: { inputs: ['x', 'y'], outputs: [1] },
      composition: null,
    });
    takeBack = overrideKernel(product.name, 'cpu', fused);
  });
  afterAll(() => takeBack());

  it('gives its gradients, of tensors that nobody else keeps', async () => {
    await withoutLeaks(() => {
      const inputs = [tf.scalar(3), tf.scalar(5)];
      const [x, y] = inputs as [tf.Tensor, tf.Tensor];
      // (x y + 1)(2 y), whose factors are freed with the forward pass
      const { value, gradients } = valueAndGradients(
        () => run(tf.add(run(x, y), 1), tf.mul(y, 2)) as tf.Scalar,
        inputs,
      );
      expect(value.dataSync()[0]).toBe(160);
      expect(gradients.map((gradient) => gradient!.dataSync()[0])).toEqual([50, 62]);
      expect([x.isDisposed, y.isDisposed]).toEqual([false, false]);
      tf.dispose([value, ...gradients.map((gradient) => gradient!), ...inputs]);
    });
  });

  it('runs by itself, under the gradients of tfjs, and where tfjs is watching', async () => {
    await withoutLeaks(async () => {
      const [x, y] = [tf.scalar(3), tf.scalar(5)];
      const gradients = tf.grads((a, b) => run(tf.add(a!, 0), b!))([x, y]);
      const alone = tf.tidy(() => run(x, y));
      const { kernelNames: seen } = await tf.profile(() => tf.tidy(() => run(x, y).dataSync()));
      expect([...gradients, alone].map((tensor) => tensor.dataSync()[0])).toEqual([5, 3, 15]);
      expect(seen).toContain('TestProduct');
      tf.dispose([x, y, alone, ...gradients]);
    });
  });
});
