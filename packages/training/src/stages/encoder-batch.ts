import { type Batch, type ExampleRows, rowsBySize } from '@latent-sft/data';
import { type ExampleTokens, encoderLayout } from '@latent-sft/segmentation';
import { packRows } from './pack-rows.js';
import { mixtureSettings, type StageContext } from './stage-context.js';
import type { LatentHead } from './stage-losses.js';

/** The head of a run's encoder. */
export function latentHead({ recipe, tokenizer }: StageContext): LatentHead {
  return { ...mixtureSettings(recipe, tokenizer), readout: recipe.latent.readout };
}

/** The encoder's rows of an example, without the end marker that nobody reads. */
export function encoderRows({ recipe, tokenizer }: StageContext): (example: ExampleTokens) => ExampleRows {
  return rowsBySize(encoderLayout, {
    mask: recipe.masks.encoder,
    latentId: tokenizer.special.compress,
  });
}

/** The encoder's rows of examples. */
export function encoderBatch(context: StageContext, examples: readonly ExampleTokens[]): Batch {
  return packRows(examples.map(encoderRows(context)));
}
