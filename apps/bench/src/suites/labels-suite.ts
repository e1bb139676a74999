import { sizesOf } from '@latent-sft/segmentation';
import type { ShapeName } from '../shapes/shape.js';
import type { WorkDescription } from '../workload/work-file.js';
import { weightsOf } from './decoding-suite.js';
import type { CaseGroup } from './suite.js';

/** Weights are softmaxes of sums of float32 in another order. */
const TOLERANCE = 1e-3;

/** Examples whose labels are made at once. */
export const LABELLED_ROWS = { demo: 256, smollm2: 32 } as const;

/** Soft labels of rows by a frozen encoder; rows a second are the examples a second. */
export function labelsSuite(shape: ShapeName, folder: string, work: WorkDescription): CaseGroup[] {
  const tokens = work.examples.reduce((sum, example) => {
    const { prompt, think, segments, end } = sizesOf(example);
    return sum + prompt + think + segments.length + end + segments.reduce((all, length) => all + length, 0);
  }, 0);
  const one = {
    name: 'labels',
    title: 'soft labels',
    examples: work.examples.length,
    tokens,
    tolerance: TOLERANCE,
    flops: null,
    expected: { flops: 2 * tokens * weightsOf(work.config) },
  };
  return [
    {
      suite: 'labels',
      shape,
      peers: ['latent-sft', 'official', 'best'],
      params: { work: 'labelling', folder },
      needs: 'torch',
      cases: [one],
    },
  ];
}
