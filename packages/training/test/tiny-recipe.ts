import { parseRecipe, type Recipe, type RecipeInput } from '../src/index.js';

/** A run of every stage that takes a second or two: it shows that the parts fit, not that the method works. */
export const tinyRecipe: RecipeInput = {
  name: 'tiny',
  seed: 3,
  data: { source: 'modular-arithmetic', operations: 2, train: 48, validation: 12, test: 12 },
  model: { width: 16, layers: 1, heads: 2, keyValueHeads: 1, feedForwardWidth: 24 },
  latent: { maxLatents: 4 },
  stages: {
    'no-cot': stage(4),
    cot: stage(6),
    encoder: stage(4),
    decoder: stage(4),
    union: stage(4),
    student: stage(6),
  },
  evaluation: { validationItems: 6, maxTokens: 8, batch: 8 },
};

function stage(steps: number) {
  return { steps, batch: 8, validateEvery: 2, checkpointEvery: 2 };
}

/** The tiny recipe with some of its keys replaced. */
export function tinyWith(changes: Partial<RecipeInput>): Recipe {
  return parseRecipe({ ...tinyRecipe, ...changes });
}
