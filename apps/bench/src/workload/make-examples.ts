import { type RandomDraws, randomDraws } from '@latent-sft/random';
import { type ExampleTokens, segmentByRate } from '@latent-sft/segmentation';
import { lengthsOf, type Shape } from '../shapes/shape.js';

/** Words of a latent. */
export const SUPPORT = 10;

/** Soft labels of one example: weights that sum to 1, and words, [N, k]. */
export interface ExampleLabel {
  readonly alpha: readonly (readonly number[])[];
  readonly ids: readonly (readonly number[])[];
}

/** A batch of examples of a shape's lengths, their words random: the same seed gives the same on every machine. */
export function makeExamples(shape: Shape, batch: number, seed: number): ExampleTokens[] {
  const { special, config } = shape;
  return lengthsOf(shape, batch).map(([prompt, chain, answer], row) => {
    const draws = randomDraws(seed, row);
    const words = (count: number) =>
      Array.from({ length: count }, () => drawWord(draws, special.firstWord, config.vocabularySize));
    return {
      prompt: words(prompt),
      think: special.think,
      segments: segmentByRate(words(chain), shape.rate),
      end: special.end,
      answer: [...words(answer - 1), special.eos],
    };
  });
}

/** Random soft labels of examples: k different words each, weights a softmax of uniform numbers. */
export function makeLabels(shape: Shape, examples: readonly ExampleTokens[], seed: number): ExampleLabel[] {
  const { special, config } = shape;
  return examples.map(({ segments }, row) => {
    const draws = randomDraws(seed, examples.length + row);
    const ids = segments.map(() => {
      const chosen = new Set<number>();
      while (chosen.size < SUPPORT) chosen.add(drawWord(draws, special.firstWord, config.vocabularySize));
      return [...chosen];
    });
    const alpha = ids.map(() => {
      const powers = Array.from({ length: SUPPORT }, () => Math.exp(3 * draws.uniform()));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power) => Math.fround(power / total));
    });
    return { alpha, ids };
  });
}

function drawWord(draws: RandomDraws, first: number, vocabulary: number): number {
  return first + draws.integer(vocabulary - first);
}
