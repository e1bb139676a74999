import * as tf from '@tensorflow/tfjs';
import { type RotaryStretch, rotary, rotaryTable } from '../../src/index.js';
import type { KernelCase } from '../kernel-case.js';
import { normalSample } from '../sample.js';

/** cos(position * frequency) or its sine for every element of [B, T, H, d]. */
function turns(
  shape: readonly [number, number, number, number],
  positions: Int32Array,
  frequencies: readonly number[],
  of: (angle: number) => number,
): Float64Array {
  const [, , heads, width] = shape;
  const half = width / 2;
  return Float64Array.from({ length: positions.length * heads * width }, (_, i) => {
    const position = positions[Math.floor(i / (heads * width))]!;
    return of(position * frequencies[i % half]!);
  });
}

function rotaryCase(
  title: string,
  shape: readonly [number, number, number, number],
  positions: Int32Array,
  base: number,
  stretch: RotaryStretch | null = null,
  stretchedFrequencies?: readonly number[],
): KernelCase {
  const [batch, length, , width] = shape;
  const half = width / 2;
  const frequencies =
    stretchedFrequencies ?? Array.from({ length: half }, (_, i) => base ** ((-2 * i) / width));
  const cosines = turns(shape, positions, frequencies, Math.cos);
  const sines = turns(shape, positions, frequencies, Math.sin);
  return {
    title: `rotary, ${title}`,
    inputs: { x: normalSample(`rotary/${title}`, shape) },
    outputShape: shape,
    open: () => {
      const table = rotaryTable(positions, [batch, length], width, base, stretch);
      return {
        kernel: ({ x }) => rotary(x as tf.Tensor4D, table),
        // Hugging Face's form: x * cos + rotate_half(x) * sin
        composition: ({ x }) => {
          const first = tf.slice(x!, [0, 0, 0, 0], [-1, -1, -1, half]);
          const second = tf.slice(x!, [0, 0, 0, half], [-1, -1, -1, half]);
          const turned = tf.concat([tf.neg(second), first], 3);
          const along = (angles: Float64Array) => tf.tensor(Float32Array.from(angles), [...shape]);
          return tf.add(tf.mul(x!, along(cosines)), tf.mul(turned, along(sines)));
        },
        constants: [table.cosine, table.sine],
      };
    },
    // each pair as a complex number times e^(i angle)
    reference: ({ x }) =>
      x!.map((value, i) => {
        const firstOfPair = i % width < half;
        const partner = x![firstOfPair ? i + half : i - half]!;
        return value * cosines[i]! + (firstOfPair ? -partner : partner) * sines[i]!;
      }),
  };
}

/** transformers 5.24 (`ROPE_INIT_FUNCTIONS['llama3']`), rope_theta 1000, head width 16, with the stretch below. */
const llama3Frequencies = [
  1.0, 0.4216965138912201, 0.06430987268686295, 0.009373676963150501, 0.0039528473280370235,
  0.0016669018659740686, 0.0007029266562312841, 0.00029642172739841044,
];
const llama3Stretch = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedPositions: 64 };

export const rotaryCases = [
  rotaryCase(
    'stretched as in Llama 3',
    [1, 3, 1, 16],
    Int32Array.of(1, 7, 50),
    1000,
    llama3Stretch,
    llama3Frequencies,
  ),
  rotaryCase('[2, 3, 2, 6]', [2, 3, 2, 6], Int32Array.of(0, 1, 2, 7, 7, 500), 10000),
  rotaryCase('one row, one pair', [1, 1, 1, 2], Int32Array.of(3), 100),
];
