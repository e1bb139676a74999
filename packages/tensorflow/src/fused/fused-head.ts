import type { KernelImplementation } from '@latent-sft/tensor';
import { runOp } from './run-op.js';

/** A loss from hidden states; its forward pass makes the slope in them where it is wanted, the backward pass scales its rows. */
function headLoss(operation: string, labels: readonly string[]): KernelImplementation {
  const sparse = labels.length > 1;
  return {
    forward: (inputs, attributes) => {
      const read = ['hidden', 'table', ...labels].map((name) => inputs[name]!);
      const { slopes, keeps } = attributes as { slopes: boolean; keeps: boolean };
      return runOp(operation, read, 4, sparse ? attributes : { slopes, keeps });
    },
    backward: ({ outputGradients: [dy], inputs, outputs: [, slope, state, logits], attributes }) => ({
      hidden: () => runOp('LatentScaleRows', [slope!, dy!], 1)[0]!,
      table: () => {
        const read = [inputs.hidden!, inputs.table!, inputs[labels[0]!]!, state!, logits!, dy!];
        return runOp('LatentHeadTableGradient', read, 1, { scale: attributes.scale! })[0]!;
      },
    }),
  };
}

export const headCrossEntropy = headLoss('LatentHeadCrossEntropy', ['targets']);
export const headSparseKl = headLoss('LatentHeadSparseKl', ['ids', 'probabilities']);
