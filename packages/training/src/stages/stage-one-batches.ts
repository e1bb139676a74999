import { type Batch, type ExampleRows, rowsBySize } from '@latent-sft/data';
import { decoderLayout, type ExampleTokens } from '@latent-sft/segmentation';
import { encoderRows } from './encoder-batch.js';
import { packParts } from './micro-batches.js';
import { packRows } from './pack-rows.js';
import type { StageContext } from './stage-context.js';
import type { StageOnePhase } from './stage-one.js';

/** The encoder's and the decoder's rows of the same examples, for each part of a step. */
export type StageOneBatches = (
  parts: readonly (readonly ExampleTokens[])[],
) => { readonly encoder: Batch; readonly decoder: Batch }[];

/** How a phase lays out and packs its examples. */
export function stageOneBatches(context: StageContext, phase: StageOnePhase): StageOneBatches {
  const { supervision } = context.recipe.stages[phase];
  const rowsOf = { encoder: encoderRows(context), decoder: decoderRows(context, phase) };
  const mean = supervision === 'token-mean' ? 'token' : 'example';
  return (parts) => {
    const decoders = packParts(
      parts.map((part) => part.map(rowsOf.decoder)),
      mean,
    );
    return parts.map((part, i) => ({ encoder: packRows(part.map(rowsOf.encoder)), decoder: decoders[i]! }));
  };
}

function decoderRows(
  { recipe: { masks, stages } }: StageContext,
  phase: StageOnePhase,
): (example: ExampleTokens) => ExampleRows {
  const { supervision, superviseAnswer } = stages[phase];
  const tails = supervision === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
  const { segmentContext, answerSeesLastLatent, positions } = masks;
  return rowsBySize((sizes) => decoderLayout(sizes, { tails }), {
    mask: masks.decoder,
    maskOptions: { segmentContext, answerSeesLastLatent },
    track: positions,
    reading: supervision,
    superviseAnswer,
    latentId: 0,
  });
}
