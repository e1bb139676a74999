import * as tf from '@tensorflow/tfjs';
import { defineKernel, runKernel } from '../kernel.js';

/** (x_0 .. x_{d/2-1}, x_{d/2} .. x_{d-1}) with its halves exchanged. */
function exchangeHalves(x: tf.Tensor): tf.Tensor {
  const halves = tf.reshape(x, [-1, 2, x.shape[3]! / 2]);
  return tf.reshape(tf.reverse(halves, 1), x.shape);
}

const kernel = defineKernel({
  name: 'LatentRotary',
  inputs: ['x', 'cosine', 'sine'],
  outputs: 1,
  saved: { inputs: ['cosine', 'sine'], outputs: [] },
  composition: {
    forward: ({ x, cosine, sine }) => [tf.add(tf.mul(x!, cosine!), tf.mul(exchangeHalves(x!), sine!))],
    backward: ({ outputGradients: [dy], inputs: { cosine, sine } }) => ({
      // turned back by the same angles
      x: () => tf.sub(tf.mul(dy!, cosine!), tf.mul(exchangeHalves(dy!), sine!)),
    }),
  },
});

/**
 * The angles of rotary positions, float32 [B, T, 1, d]; the caller owns both. Element i and element i + d/2
 * hold the same angle; the sine of the first is negated: y = x cosine + (x with its halves exchanged) sine.
 */
export interface RotaryTable {
  readonly cosine: tf.Tensor4D;
  readonly sine: tf.Tensor4D;
}

/** How Llama 3 turns the slow pairs more slowly still, so that a model reads further than it was trained. */
export interface RotaryStretch {
  /** What the angles of the slowest pairs are divided by. */
  readonly factor: number;
  /** Pairs that turn less than this often over the trained positions are divided in full. */
  readonly lowFrequencyFactor: number;
  /** Pairs that turn more than this often stay as they are; in between the two are mixed. */
  readonly highFrequencyFactor: number;
  /** Tokens that the model was first trained on. */
  readonly trainedPositions: number;
}

/**
 * Angles position * f_i with f_i = base^(-2i/d) for each position (Su et al. 2021, section 3.2.2). Stretched:
 * f_i ((1 - s) / factor + s), s = (turns - low) / (high - low) within [0, 1], where a pair turns
 * trainedPositions f_i / (2 pi) times (Llama 3.1, `apply_scaling` of its reference code).
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
  stretch: RotaryStretch | null = null,
): RotaryTable {
  const [batch, length] = shape;
  if (positions.length !== batch * length) {
    throw new Error(`rotaryTable: expected ${batch} x ${length} positions, got ${positions.length}`);
  }
  if (headWidth % 2 !== 0) throw new Error(`rotaryTable: expected an even head width, got ${headWidth}`);
  const half = headWidth / 2;
  const frequencies = Array.from({ length: half }, (_, i) => {
    const frequency = base ** ((-2 * i) / headWidth);
    return stretch ? stretched(frequency, stretch) : frequency;
  });
  const cosine = new Float32Array(positions.length * headWidth);
  const sine = new Float32Array(positions.length * headWidth);
  // rows of short examples hold few distinct positions: each one's angles are made once
  const madeAt = new Map<number, number>();
  for (let row = 0; row < positions.length; row++) {
    const position = positions[row]!;
    const made = madeAt.get(position);
    if (made !== undefined) {
      const [from, to] = [made * headWidth, row * headWidth];
      for (let i = 0; i < headWidth; i++) {
        cosine[to + i] = cosine[from + i]!;
        sine[to + i] = sine[from + i]!;
      }
      continue;
    }
    madeAt.set(position, row);
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!;
      const first = row * headWidth + i;
      cosine[first] = cosine[first + half] = Math.cos(angle);
      sine[first + half] = Math.sin(angle);
      sine[first] = -sine[first + half]!;
    }
  }
  return {
    cosine: tf.tensor4d(cosine, [batch, length, 1, headWidth]),
    sine: tf.tensor4d(sine, [batch, length, 1, headWidth]),
  };
}

function stretched(frequency: number, stretch: RotaryStretch): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, trainedPositions } = stretch;
  const turns = (trainedPositions * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return frequency * ((1 - kept) / factor + kept);
}

/**
 * Rotary position embedding in the half-split form of Hugging Face: pairs are (x_i, x_{i + d/2}).
 *
 * @param x float32 [B, T, H, d]
 * @returns float32 [B, T, H, d]
 * @throws if the table is not for B, T and d of x.
 */
export function rotary(x: tf.Tensor4D, table: RotaryTable): tf.Tensor4D {
  const [batch, length, , width] = table.cosine.shape;
  if (x.shape[0] !== batch || x.shape[1] !== length || x.shape[3] !== width) {
    throw new Error(`rotary: expected x [${batch}, ${length}, H, ${width}], got [${x.shape}]`);
  }
  return runKernel(kernel, { x, cosine: table.cosine, sine: table.sine })[0] as tf.Tensor4D;
}
