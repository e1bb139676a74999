import * as tf from '@tensorflow/tfjs';
import { valueAndGradients } from './gradients.js';
import { isRecording, lastRecorded } from './recording.js';

/**
 * compute(inputs), of which nothing but the inputs is kept for the backward pass: there it is computed again, with its
 * intermediate results, and the gradients of the inputs are the same to the bit (Chen et al. 2016, "Training deep
 * nets with sublinear memory cost", arXiv 1604.06174).
 *
 * @param inputs everything that gradients may flow to, weights included; none is computed for one that needs none
 * @param compute a function of its arguments, which it must use in the place of the inputs, and of constants; called
 *   twice, it must give the same
 * @throws in the backward pass, if it is itself differentiated.
 */
export function checkpointed<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  compute: (inputs: readonly tf.Tensor[]) => T,
): T {
  const run = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as tf.GradSaveFunc;
    save([...inputs]);
    return { value: compute(inputs), gradFunc: () => [...inputs] };
  });
  const output = run(...inputs);
  const node = lastRecorded();
  if (node?.outputs[0] === output) {
    // in the place of gradFunc, which has to give a gradient of every input, frozen weights too
    node.gradient = function ([outputGradient]) {
      const names = Object.keys(this.inputs);
      const gradients = again(this.saved, names.map(Number), outputGradient!, compute);
      return Object.fromEntries(names.map((name, i) => [name, () => gradients[i]!]));
    };
  }
  return output as T;
}

/** Computes the block on a tape of its own, and gives the gradients of the inputs at the wanted places. */
function again(
  inputs: readonly tf.Tensor[],
  wanted: readonly number[],
  outputGradient: tf.Tensor,
  compute: (inputs: readonly tf.Tensor[]) => tf.Tensor,
): tf.Tensor[] {
  if (isRecording()) throw new Error('checkpointed: expected first gradients only, got gradients of one');
  const sources = wanted.map((place) => inputs[place]!);
  const { value, gradients } = valueAndGradients(() => compute(inputs), sources, outputGradient);
  value.dispose();
  return sources.map((source, i) => gradients[i] ?? tf.zerosLike(source));
}
