import type { Recipe } from '../recipe/recipe.js';
import { TRAINING_STAGES, type TrainingStage } from '../recipe/stage-settings.js';

/** Encoder and decoder of a stage-1 phase, names prefixed `encoder/` and `decoder/`. */
export const MODELS_FILE = 'models.safetensors';

/** The stages that a recipe asks for, in order; labels stand before the student. */
export function stagesOf(recipe: Recipe): (TrainingStage | 'labels')[] {
  const trained = TRAINING_STAGES.filter((stage) => recipe.stages[stage].steps > 0);
  return trained.flatMap((stage) => (stage === 'student' ? (['labels', stage] as const) : [stage]));
}
