import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

const kernel = defineKernel({
  name: 'LatentLayerNorm',
  inputs: ['x', 'weight', 'bias'],
  outputs: 3,
  saved: { inputs: ['x', 'weight'], outputs: [1, 2] },
  composition: {
    forward: ({ x, weight, bias }, { epsilon }) => {
      const mean = tf.mean(x!, -1, true);
      const centred = tf.sub(x!, mean);
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon as number));
      return [tf.add(tf.mul(tf.mul(centred, inverse), weight!), bias!), mean, inverse];
    },
    backward: ({ outputGradients: [dy], inputs: { x, weight }, outputs: [, mean, inverse] }) => {
      const normal = tf.mul(tf.sub(x!, mean!), inverse!);
      const overRows = (y: tf.Tensor) => tf.sum(tf.reshape(y, [-1, weight!.size]), 0);
      return {
        x: () => {
          const scaled = tf.mul(dy!, weight!);
          const along = tf.mul(normal, tf.mean(tf.mul(scaled, normal), -1, true));
          return tf.mul(inverse!, tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), along));
        },
        weight: () => overRows(tf.mul(dy!, normal)),
        bias: () => overRows(dy!),
      };
    },
  },
});

/**
 * Layer normalisation, y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias
 * (Ba, Kiros and Hinton 2016, eq. 3), the variance over all D numbers.
 *
 * @param x float32 [..., D]
 * @param weight float32 [D]
 * @param bias float32 [D]
 * @returns float32 [..., D]
 * @throws if weight and bias are not as long as the last axis of x.
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): T {
  const width = x.shape[x.rank - 1];
  if (width !== weight.size || width !== bias.size) {
    throw new Error(
      `layerNorm: expected weight and bias [${width}] for x [${x.shape}], got [${weight.size}] and [${bias.size}]`,
    );
  }
  const [y, mean, inverse] = runKernel(kernel, { x, weight, bias }, { epsilon });
  tf.dispose([mean!, inverse!]);
  return y as T;
}
