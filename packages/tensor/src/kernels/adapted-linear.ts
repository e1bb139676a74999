import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

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
    forward: (inputs) => {
      const { x, weight, lower, raise, scale } = inputs as Readonly<Record<string, tf.Tensor2D>>;
      const lowered = tf.mul<tf.Tensor2D>(tf.matMul<tf.Tensor2D>(x!, lower!, false, true), scale!); // [N, r]
      if (mergesAt(x!.shape[0], weight!)) {
        return [tf.matMul(x!, merged(weight!, lower!, raise!, scale!), false, true), lowered];
      }
      return [tf.add(tf.matMul(x!, weight!, false, true), tf.matMul(lowered, raise!, false, true)), lowered];
    },
    backward: ({ outputGradients, inputs, outputs }) => {
      const dy = outputGradients[0] as tf.Tensor2D;
      const { x, weight, lower, raise, scale } = inputs as Readonly<Record<string, tf.Tensor2D>>;
      const lowered = outputs[1] as tf.Tensor2D;
      // the gradient of x A^T, [N, r]
      const dLowered = () => tf.mul<tf.Tensor2D>(tf.matMul<tf.Tensor2D>(dy, raise!), scale!);
      return {
        x: () =>
          mergesAt(dy.shape[0], weight!)
            ? tf.matMul(dy, merged(weight!, lower!, raise!, scale!))
            : tf.add(tf.matMul(dy, weight!), tf.matMul(dLowered(), lower!)),
        weight: () => tf.matMul(dy, x!, true, false),
        lower: () => tf.matMul(dLowered(), x!, true, false),
        raise: () => tf.matMul(dy, lowered, true, false),
      };
    },
  },
});

/**
 * A linear map with a low-rank adapter beside it, y = x W^T + scale (x A^T) B^T (Hu et al. 2021, arXiv 2106.09685,
 * eq. 3), with neither of the two large products kept.
 *
 * @param x float32 [N, in]
 * @param weight W, float32 [out, in]
 * @param lower A, float32 [r, in]
 * @param raise B, float32 [out, r]
 * @param scale alpha / r, a scalar; it has no gradient
 * @returns float32 [N, out]
 * @throws if the shapes do not fit.
 */
export function adaptedLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  lower: tf.Tensor2D,
  raise: tf.Tensor2D,
  scale: tf.Scalar,
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
  const [y, lowered] = runKernel(kernel, { x, weight, lower, raise, scale });
  lowered!.dispose();
  return y as tf.Tensor2D;
}
