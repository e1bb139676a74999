import type { Tokenizer } from '@latent-sft/data';
import type { ModelConfig } from '@latent-sft/model';
import { type ExampleTokens, sizesOf } from '@latent-sft/segmentation';

/**
 * Checks that a pretrained model has a row for every token, and, where its positions are learned, for every position.
 *
 * @throws if it lacks one: the tokenizer is another model's, or an example is too long for the model.
 */
export function checkTokens(
  { architecture, vocabularySize, maxPositions }: ModelConfig,
  { special }: Tokenizer,
  examples: readonly ExampleTokens[],
): void {
  const known = (ids: readonly number[]) => {
    const outside = ids.find((id) => id >= vocabularySize);
    if (outside !== undefined) {
      throw new Error(
        `runRecipe: expected the model's own tokenizer, with ids below ${vocabularySize}, got ${outside}`,
      );
    }
  };
  known([special.eos, special.pad, special.compress]);
  for (const example of examples) {
    const { prompt, think, segments, end, answer } = example;
    for (const ids of [prompt, think, ...segments, end, answer]) known(ids);
    if (architecture === 'gpt2') checkLength(example, maxPositions);
  }
}

function checkLength(example: ExampleTokens, maxPositions: number): void {
  const { prompt, think, segments, end, answer } = sizesOf(example);
  const length = segments.reduce((sum, size) => sum + size, prompt + think + end + answer);
  if (length > maxPositions) {
    throw new Error(
      `runRecipe: expected examples of at most ${maxPositions} tokens, the positions that gpt2 has learned, ` +
        `got ${length}; lengths.maxTokens and lengths.tooLong say what to do with longer ones`,
    );
  }
}
