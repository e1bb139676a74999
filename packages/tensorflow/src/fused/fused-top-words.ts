import type { KernelImplementation } from '@latent-sft/tensor';
import { runOp } from './run-op.js';

/** A choice, which has no gradient. */
const choice = (operation: string, inputs: readonly string[]): KernelImplementation => ({
  forward: (given, { count }) =>
    runOp(
      operation,
      [...inputs, 'excluded'].map((name) => given[name]!),
      2,
      { count: BigInt(count as number) },
    ),
  backward: () => ({}),
});

export const topWords = choice('LatentTopWords', ['logits']);
export const headTopWords = choice('LatentHeadTopWords', ['hidden', 'table']);
