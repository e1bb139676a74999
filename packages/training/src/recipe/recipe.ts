import { z } from 'zod';
import { checkRecipe } from './check-recipe.js';
import { completed } from './completed.js';
import { dataSettings, lengthSettings, markerSettings, promptSettings } from './data-settings.js';
import { describeIssue } from './describe-issue.js';
import { count } from './fields.js';
import { latentSettings, maskSettings, segmenterSettings } from './method-settings.js';
import { modelSettings, optimiserSettings, tuningSettings } from './model-settings.js';
import { PRESETS } from './presets.js';
import { stagesSettings } from './stage-settings.js';

const recipeSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected letters, digits, dots and dashes'),
  /** Which published variant fills in what the recipe does not say. */
  preset: z.enum(PRESETS).default('default'),
  seed: z.int().min(0).max(0xffffffff).default(0),
  /** How matrix products are computed; bfloat16 factors are faster where the processor has them. */
  precision: z.enum(['float32', 'bfloat16-products']).default('float32'),
  /** Whether gradients compute each layer again in place of keeping what it made: the same numbers, less memory. */
  checkpointing: z.boolean().default(false),
  data: dataSettings,
  /** A pretrained model brings its own. */
  tokenizer: z.enum(['words', 'characters', 'model']).default('words'),
  prompt: promptSettings.prefault({}),
  markers: markerSettings.prefault({}),
  lengths: lengthSettings.prefault({}),
  model: modelSettings.prefault({}),
  tuning: tuningSettings.prefault({ method: 'full' }),
  segmenter: segmenterSettings.prefault({ by: 'rate', rate: 2 }),
  latent: latentSettings.prefault({}),
  masks: maskSettings.prefault({}),
  optimiser: optimiserSettings.prefault({}),
  stages: stagesSettings.prefault({}),
  evaluation: z
    .strictObject({
      /** Validation questions answered each time a stage is validated. */
      validationItems: count.default(200),
      maxTokens: count.default(128),
      batch: count.default(512),
      /** How an answer is compared with the right one: `exact` as text, the others by what it says. */
      grading: z.enum(['exact', 'number', 'choice', 'name', 'list', 'latex']).default('exact'),
    })
    .prefault({}),
});

/** Everything that decides a run, every default written out. */
export type Recipe = z.output<typeof recipeSchema>;

/** A recipe as a person writes it: only what differs from the defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;

/**
 * Checks a recipe and writes every default out.
 *
 * @param source where it came from, for the message
 * @throws if a key is unknown, naming the nearest known one, or a value is not what its key expects.
 * @throws if settings contradict each other.
 */
export function parseRecipe(value: unknown, source = 'recipe'): Recipe {
  const result = recipeSchema.safeParse(completed(value));
  if (!result.success)
    throw new Error(`parseRecipe: ${source}: ${describeIssue(recipeSchema, result.error, value)}`);
  checkRecipe(result.data, source);
  return result.data;
}

/** The JSON Schema of a recipe, for editors. */
export function recipeJsonSchema(): unknown {
  return z.toJSONSchema(recipeSchema, { io: 'input' });
}
