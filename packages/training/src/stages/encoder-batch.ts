import { type Batch, exampleRows } from '@latent-sft/data';
import { type ExampleTokens, encoderLayout, sizesOf } from '@latent-sft/segmentation';
import { packRows } from './pack-rows.js';
import { mixtureSettings, type StageContext } from './stage-context.js';
import type { LatentHead } from './stage-losses.js';

/** The head of a run's encoder. */
export function latentHead({ recipe, tokenizer }: StageContext): LatentHead {
  return { ...mixtureSettings(recipe, tokenizer), readout: recipe.latent.readout };
}

/** The encoder's rows of examples, without the end marker that nobody reads. */
export function encoderBatch({ recipe, tokenizer }: StageContext, examples: readonly ExampleTokens[]): Batch {
  return packRows(
    examples.map((example) =>
      exampleRows(encoderLayout(sizesOf(example)), example, {
        mask: recipe.masks.encoder,
        latentId: tokenizer.special.compress,
      }),
    ),
  );
}
