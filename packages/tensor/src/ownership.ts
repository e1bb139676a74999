import * as tf from '@tensorflow/tfjs';

/** How many tensors are alive now. */
export function countTensors(): number {
  return tf.memory().numTensors;
}

/**
 * Runs a function and checks that it left no tensor behind beyond those it is meant to.
 *
 * @param kept how many tensors the caller now owns because of the call.
 * @throws if the count of living tensors changed by anything else.
 */
export async function withoutLeaks<T>(run: () => T | Promise<T>, kept = 0): Promise<T> {
  const before = countTensors();
  const result = await run();
  const left = countTensors() - before;
  if (left !== kept) throw new Error(`withoutLeaks: expected ${kept} more tensors than before, got ${left}`);
  return result;
}
