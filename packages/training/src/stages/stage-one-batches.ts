import { type Batch, exampleRows } from '@latent-sft/data';
import { decoderLayout, type ExampleTokens, sizesOf } from '@latent-sft/segmentation';
import { encoderBatch } from './encoder-batch.js';
import { packParts } from './micro-batches.js';
import type { StageContext } from './stage-context.js';
import type { StageOnePhase } from './stage-one.js';

/** The encoder's and the decoder's rows of the same examples, for each part of a step. */
export function stageOneBatches(
  context: StageContext,
  phase: StageOnePhase,
  parts: readonly (readonly ExampleTokens[])[],
): { encoder: Batch; decoder: Batch }[] {
  const { masks, stages } = context.recipe;
  const { supervision, superviseAnswer } = stages[phase];
  const tails = supervision === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
  const { segmentContext, answerSeesLastLatent, positions } = masks;
  const decoderRows = (example: ExampleTokens) =>
    exampleRows(decoderLayout(sizesOf(example), { tails }), example, {
      mask: masks.decoder,
      maskOptions: { segmentContext, answerSeesLastLatent },
      track: positions,
      reading: supervision,
      superviseAnswer,
      latentId: 0,
    });
  const mean = supervision === 'token-mean' ? 'token' : 'example';
  const decoders = packParts(
    parts.map((part) => part.map(decoderRows)),
    mean,
  );
  return parts.map((part, i) => ({ encoder: encoderBatch(context, part), decoder: decoders[i]! }));
}
