import { randomStream } from '@latent-sft/random';

/**
 * Which examples a step sees: epochs of seeded permutations, cut into batches. A function of the step alone.
 *
 * @throws if there is no example.
 */
export function exampleOrder(
  seed: number,
  label: string,
  examples: number,
  batch: number,
): (step: number) => number[] {
  if (examples < 1) throw new Error(`exampleOrder: expected at least one example, got ${examples}`);
  let held = { epoch: -1, order: new Uint32Array(0) as Uint32Array };
  const at = (draw: number) => {
    const epoch = Math.floor(draw / examples);
    if (held.epoch !== epoch) {
      held = { epoch, order: randomStream(seed, `${label}/order`, epoch).permutation(examples) };
    }
    return held.order[draw % examples]!;
  };
  return (step) => Array.from({ length: batch }, (_, i) => at(step * batch + i));
}
