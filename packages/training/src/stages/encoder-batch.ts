import { type Batch, exampleRows, packBatch } from '@latent-sft/data';
import { type ExampleTokens, encoderLayout, sizesOf } from '@latent-sft/segmentation';
import { mixtureSettings, type StageContext } from './stage-context.js';
import type { LatentHead } from './stage-losses.js';

/** The head of a run's encoder. */
export function latentHead({ recipe, tokenizer }: StageContext): LatentHead {
  return { ...mixtureSettings(recipe, tokenizer), readout: recipe.latent.readout };
}

/** The encoder's rows of examples. */
export function encoderBatch({ recipe, tokenizer }: StageContext, examples: readonly ExampleTokens[]): Batch {
  return packBatch(
    examples.map((example) =>
      exampleRows(encoderLayout(sizesOf(example)), example, {
        mask: recipe.masks.encoder,
        latentId: tokenizer.special.compress,
      }),
    ),
  );
}
