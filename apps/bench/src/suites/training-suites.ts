import { type ExampleTokens, sizesOf } from '@latent-sft/segmentation';
import type { ShapeName } from '../shapes/shape.js';
import type { WorkDescription } from '../workload/work-file.js';
import type { CaseGroup, PeerName, SuiteName } from './suite.js';

/**
 * Losses of the first steps may differ by this share: sums of float32 in another order, and what AdamW, which divides
 * by the root of tiny squares, makes of it.
 */
const LOSS_TOLERANCE = 1e-4;

const PEERS: readonly PeerName[] = ['latent-sft', 'official', 'best'];

const PHASES = { stage1: ['encoder', 'decoder', 'union'], stage2: ['student'] } as const;

/** The optimiser steps of a stage: batch made, loss, gradients, clipping, AdamW. */
export function trainingSuite(
  suite: 'stage1' | 'stage2',
  shape: ShapeName,
  folder: string,
  work: WorkDescription,
): CaseGroup[] {
  return PHASES[suite].map((phase) => {
    const tokens = work.examples.reduce((sum, example) => sum + tokensOf(example, suite), 0);
    return {
      suite: suite satisfies SuiteName,
      shape,
      peers: PEERS,
      params: { work: 'training', folder, phase },
      needs: 'torch',
      cases: [
        {
          name: phase,
          title: phase === 'student' ? 'joint step (KL and CE)' : `${phase} step`,
          examples: work.examples.length,
          tokens,
          tolerance: LOSS_TOLERANCE,
          flops: null,
          expected: { flops: expectedFlops(work, phase), checks: work.training.checkedSteps },
        },
      ],
    };
  });
}

/** Forward and backward through the layers of both models, or of the student, and the vocabulary of labelled rows. */
function expectedFlops({ config, examples, training }: WorkDescription, phase: string): number {
  const { width, feedForwardWidth, layers, vocabularySize } = config;
  const rows = examples.reduce(
    (sum, example) => sum + tokensOf(example, phase === 'student' ? 'stage2' : 'stage1'),
    0,
  );
  const layer = 2.5 * width * width + 3 * width * feedForwardWidth;
  const mean = rows / examples.length;
  // with frozen weights the backward pass is as long as the forward pass, and the adapters some more
  const passes = training.method === 'full' ? 3 : 2.6;
  // queries times keys, and weights times values: about half of a row's keys are seen
  const attention = layers * width * (phase === 'student' ? mean : mean / 2);
  return 2 * passes * rows * (layers * layer + attention + 0.3 * width * vocabularySize);
}

/** Rows that an example takes: encoder and decoder in stage 1, student in stage 2. */
function tokensOf(example: ExampleTokens, suite: 'stage1' | 'stage2'): number {
  const { prompt, think, segments, end, answer } = sizesOf(example);
  const chain = segments.reduce((sum, length) => sum + length, 0);
  const student = prompt + think + segments.length + end + answer;
  if (suite === 'stage2') return student;
  const encoder = prompt + think + chain + segments.length + end;
  // the decoder restores every segment but the first
  return encoder + student + chain - segments[0]!;
}
