import * as tf from '@tensorflow/tfjs';
import { defineKernel, type KernelAttributes, runKernel } from '../kernel.js';
import { type DropoutDraw, drawAttributes, droppedBy } from './dropout.js';

/** What an adapter does not see of its input: each number with probability `rate`, as `dropout` draws it. */
export interface AdapterDropout extends DropoutDraw {
  readonly rate: number;
}

/** What the attributes of a draw drop; everything stays where there is none. */
const seen = (x: tf.Tensor2D, attributes: KernelAttributes) =>
  drops(attributes) ? droppedBy(x, attributes) : x;
const drops = (attributes: KernelAttributes) => 'threshold' in attributes;

/** Rows from which adding the adapter to the weight costs less than adding its product to the result. */
const mergesAt = (rows: number, weight: tf.Tensor) => rows >= weight.shape[1]!;

/** W + scale B A. */
const merged = (weight: tf.Tensor, lower: tf.Tensor, raise: tf.Tensor, scale: tf.Tensor) =>
  tf.add<tf.Tensor2D>(weight, tf.matMul<tf.Tensor2D>(raise as tf.Tensor2D, tf.mul(lower, scale)));

const kernel = defineKernel({
  name: 'LatentAdaptedLinear',
  inputs: ['x', 'weight', 'lower', 'raise', 'scale'],
  outputs: 2,
  saved: { inputs: ['x', 'weight', 'lower', 'raise', 'scale'], outputs: [1] },
  composition: {
    forward: (inputs, attributes) => {
      const { x, weight, lower, raise, scale } = inputs as Readonly<Record<string, tf.Tensor2D>>;
      const low = tf.matMul<tf.Tensor2D>(seen(x!, attributes), lower!, false, true); // [N, r]
      const lowered = tf.mul<tf.Tensor2D>(low, scale!);
      if (!drops(attributes) && mergesAt(x!.shape[0], weight!)) {
        return [tf.matMul(x!, merged(weight!, lower!, raise!, scale!), false, true), lowered];
      }
      return [tf.add(tf.matMul(x!, weight!, false, true), tf.matMul(lowered, raise!, false, true)), lowered];
    },
    backward: ({ outputGradients, inputs, outputs, attributes }) => {
      const dy = outputGradients[0] as tf.Tensor2D;
      const { x, weight, lower, raise, scale } = inputs as Readonly<Record<string, tf.Tensor2D>>;
      const lowered = outputs[1] as tf.Tensor2D;
      // the gradient of x A^T, [N, r]
      const dLowered = () => tf.mul<tf.Tensor2D>(tf.matMul<tf.Tensor2D>(dy, raise!), scale!);
      return {
        x: () =>
          !drops(attributes) && mergesAt(dy.shape[0], weight!)
            ? tf.matMul(dy, merged(weight!, lower!, raise!, scale!))
            : tf.add(tf.matMul(dy, weight!), seen(tf.matMul(dLowered(), lower!), attributes)),
        weight: () => tf.matMul(dy, x!, true, false),
        lower: () => tf.matMul(dLowered(), seen(x!, attributes), true, false),
        raise: () => tf.matMul(dy, lowered, true, false),
      };
    },
  },
});

/**
 * A linear map with a low-rank adapter beside it, y = x W^T + scale (x A^T) B^T (Hu et al. 2021, arXiv 2106.09685,
 * eq. 3), with neither of the two large products kept. Where the adapter drops numbers of its input, W still sees all
 * of it, y = x W^T + scale (dropout(x) A^T) B^T, as in PEFT; they are drawn again for the gradient and not kept.
 *
 * @param x float32 [N, in]
 * @param weight W, float32 [out, in]
 * @param lower A, float32 [r, in]
 * @param raise B, float32 [out, r]
 * @param scale alpha / r, a scalar; it has no gradient
 * @returns float32 [N, out]
 * @throws if the shapes do not fit.
 * @throws if the rate of the dropout is not within [0, 1), or its step not a whole number of at least 0.
 */
export function adaptedLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  lower: tf.Tensor2D,
  raise: tf.Tensor2D,
  scale: tf.Scalar,
  dropout: AdapterDropout | null = null,
): tf.Tensor2D {
  const [output, input] = weight.shape;
  const rank = lower.shape[0];
  if (
    x.shape[1] !== input ||
    String(lower.shape) !== `${rank},${input}` ||
    String(raise.shape) !== `${output},${rank}`
  ) {
    throw new Error(
      `adaptedLinear: expected x [N, ${input}], lower [${rank}, ${input}] and raise [${output}, ${rank}], ` +
        `got [${x.shape}], [${lower.shape}] and [${raise.shape}]`,
    );
  }
  const attributes = dropout && drawAttributes('adaptedLinear', dropout.rate, dropout);
  const [y, lowered] = runKernel(kernel, { x, weight, lower, raise, scale }, attributes ?? {});
  lowered!.dispose();
  return y as tf.Tensor2D;
}
