import type { AdapterDropout } from '@latent-sft/tensor';
import type { Recipe } from '../recipe/recipe.js';

/** What sets a training pass apart from one that validates, labels or answers. */
export interface TrainingPass {
  /** Whether the backward pass computes layers again in place of keeping what they made. */
  readonly checkpoint: boolean;
  /** What the adapters of a model that moves do not see of their inputs. */
  readonly dropout: AdapterDropout | null;
}

/**
 * The training pass of one part of a step; its draws are functions of seed, label and step, so that a resumed stage
 * drops what a whole one drops.
 *
 * @param label names stage and model, such as 'union/encoder'
 * @param part of the step; each draws its own numbers
 */
export function trainingPass(
  { seed, tuning, checkpointing }: Recipe,
  label: string,
  step: number,
  part: number,
): TrainingPass {
  const rate = tuning.method === 'lora' ? tuning.dropout : 0;
  return {
    checkpoint: checkpointing,
    dropout: rate > 0 ? { rate, seed, label: `${label}/dropout/${part}`, step } : null,
  };
}

/** The same of a model that stands still: it sees all of its inputs. */
export function withoutDropout(pass: TrainingPass): TrainingPass {
  return { ...pass, dropout: null };
}
