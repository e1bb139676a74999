import * as tf from '@tensorflow/tfjs';

/** What tfjs has recorded for gradients; its engine has no public way to set it aside. */
interface Recording {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
}

/** One recorded operation. A gradient is called on a copy of its node whose inputs are those with a use for one. */
interface TapeNode {
  inputs: Readonly<Record<string, tf.Tensor>>;
  outputs: readonly tf.Tensor[];
  saved: readonly tf.Tensor[];
  gradient: (this: TapeNode, outputGradients: readonly tf.Tensor[]) => Record<string, () => tf.Tensor>;
}

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
  const recording = tf.engine().state as unknown as Recording;
  const run = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as tf.GradSaveFunc;
    save([...inputs]);
    return { value: compute(inputs), gradFunc: () => [...inputs] };
  });
  const output = run(...inputs);
  const node = recording.activeTape?.at(-1);
  if (node?.outputs[0] === output) {
    // in the place of gradFunc, which has to give a gradient of every input, frozen weights too
    node.gradient = function ([outputGradient]) {
      const names = Object.keys(this.inputs);
      const gradients = again(recording, node.saved, names.map(Number), outputGradient!, compute);
      return Object.fromEntries(names.map((name, i) => [name, () => gradients[i]!]));
    };
  }
  return output as T;
}

/** Computes the block on a tape of its own, and gives the gradients of the inputs at the wanted places. */
function again(
  recording: Recording,
  inputs: readonly tf.Tensor[],
  wanted: readonly number[],
  outputGradient: tf.Tensor,
  compute: (inputs: readonly tf.Tensor[]) => tf.Tensor,
): tf.Tensor[] {
  const { activeTape, gradientDepth } = recording;
  if (gradientDepth > 0) throw new Error('checkpointed: expected first gradients only, got gradients of one');
  const sources = wanted.map((place) => inputs[place]!);
  try {
    const { value, grads } = tf.engine().gradients(() => compute(inputs), sources, outputGradient, true);
    value.dispose();
    return sources.map((source, i) => grads[i] ?? tf.zerosLike(source));
  } finally {
    recording.activeTape = activeTape;
    recording.gradientDepth = gradientDepth;
  }
}
