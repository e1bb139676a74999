import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

/** Turns each pair (x_i, x_{i + d/2}) by its angle; a negative sine turns back. */
function rotate(x: tf.Tensor, cosine: tf.Tensor, sine: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1);
  return tf.concat(
    [
      tf.sub(tf.mul(first!, cosine), tf.mul(second!, sine)),
      tf.add(tf.mul(second!, cosine), tf.mul(first!, sine)),
    ],
    -1,
  );
}

const kernel = defineKernel({
  name: 'LatentRotary',
  inputs: ['x', 'cosine', 'sine'],
  outputs: 1,
  saved: { inputs: ['cosine', 'sine'], outputs: [] },
  composition: {
    forward: ({ x, cosine, sine }) => [rotate(x!, cosine!, sine!)],
    backward: ({ outputGradients: [dy], inputs: { cosine, sine } }) => ({
      x: () => rotate(dy!, cosine!, tf.neg(sine!)),
    }),
  },
});

/** The angles of rotary positions: cosine and sine, float32 [B, T, 1, d/2]; the caller owns both. */
export interface RotaryTable {
  readonly cosine: tf.Tensor4D;
  readonly sine: tf.Tensor4D;
}

/**
 * Angles position * base^(-2i/d) for each position (Su et al. 2021, section 3.2.2).
 *
 * @param positions int32 [B * T], row-major
 * @param headWidth d, even
 * @throws if positions does not hold B * T numbers, or headWidth is odd.
 */
export function rotaryTable(
  positions: Int32Array,
  shape: readonly [batch: number, length: number],
  headWidth: number,
  base: number,
): RotaryTable {
  const [batch, length] = shape;
  if (positions.length !== batch * length) {
    throw new Error(`rotaryTable: expected ${batch} x ${length} positions, got ${positions.length}`);
  }
  if (headWidth % 2 !== 0) throw new Error(`rotaryTable: expected an even head width, got ${headWidth}`);
  const half = headWidth / 2;
  const frequencies = Array.from({ length: half }, (_, i) => base ** ((-2 * i) / headWidth));
  const cosine = new Float32Array(positions.length * half);
  const sine = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[row]! * frequencies[i]!;
      cosine[row * half + i] = Math.cos(angle);
      sine[row * half + i] = Math.sin(angle);
    }
  }
  return {
    cosine: tf.tensor4d(cosine, [batch, length, 1, half]),
    sine: tf.tensor4d(sine, [batch, length, 1, half]),
  };
}

/**
 * Rotary position embedding in the half-split form of Hugging Face: pairs are (x_i, x_{i + d/2}).
 *
 * @param x float32 [B, T, H, d]
 * @returns float32 [B, T, H, d]
 * @throws if the table is not for B, T and d of x.
 */
export function rotary(x: tf.Tensor4D, table: RotaryTable): tf.Tensor4D {
  const [batch, length, , half] = table.cosine.shape;
  if (x.shape[0] !== batch || x.shape[1] !== length || x.shape[3] !== 2 * half) {
    throw new Error(`rotary: expected x [${batch}, ${length}, H, ${2 * half}], got [${x.shape}]`);
  }
  return runKernel(kernel, { x, cosine: table.cosine, sine: table.sine })[0] as tf.Tensor4D;
}
