import { z } from 'zod';
import { PRESETS, withPreset } from './presets.js';

const presetChosen = z.looseObject({ preset: z.enum(PRESETS) });
const pretrainedModel = z.looseObject({ model: z.looseObject({ source: z.literal('pretrained') }) });
const topTokens = z.looseObject({ latent: z.looseObject({ support: z.number() }) });

/**
 * A recipe with the defaults that follow from other settings: a preset's from its name, the tokenizer's from the
 * model, the support of the KL from that of the latents. What it says itself stays.
 *
 * @param value as a person wrote it; anything
 */
export function completed(value: unknown): unknown {
  let recipe = value;
  const preset = presetChosen.safeParse(recipe);
  if (preset.success) recipe = withPreset(preset.data.preset, preset.data);
  const pretrained = pretrainedModel.safeParse(recipe);
  if (pretrained.success && !('tokenizer' in pretrained.data))
    recipe = { ...pretrained.data, tokenizer: 'model' };
  const sparse = topTokens.safeParse(recipe);
  if (sparse.success) recipe = withSparseKl(sparse.data);
  return recipe;
}

const studentSettings = z.looseObject({
  stages: z.looseObject({ student: z.looseObject({}).optional() }).optional(),
});

function withSparseKl(recipe: Readonly<Record<string, unknown>>): unknown {
  const { success, data } = studentSettings.safeParse(recipe);
  if (!success || data.stages?.student?.klSupport !== undefined) return recipe;
  const student = { ...data.stages?.student, klSupport: 'sparse' };
  return { ...data, stages: { ...data.stages, student } };
}
