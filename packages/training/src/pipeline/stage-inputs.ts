import type { Recipe } from '../recipe/recipe.js';
import type { TrainingStage } from '../recipe/stage-settings.js';
import { sha256OfJson } from '../run/digest.js';
import { type StageInputs, stageOutputs } from '../run/stage.js';
import type { ActiveRun } from './active-run.js';
import { MODELS_FILE } from './stage-files.js';

/** The name under which a manifest holds the hash of the pretrained weights. */
export const PRETRAINED = 'pretrained';

/** What decides a stage's result: its settings, the data, and the weights that it starts from. */
export function stageInputs(
  { run, context, dataDigest, pretrained }: ActiveRun,
  stage: TrainingStage | 'labels',
): StageInputs {
  const { recipe } = context;
  const { name: _name, stages, evaluation, ...shared } = recipe;
  const settings = { ...shared, evaluation, stage: stage === 'labels' ? null : stages[stage] };
  const source = sourceStage(recipe, stage);
  const earlier = stage === 'student' ? [source!, 'labels'] : source ? [source] : [];
  const madeFrom: Record<string, string> = { data: dataDigest };
  if (pretrained) madeFrom[PRETRAINED] = pretrained.sha256;
  for (const name of earlier) Object.assign(madeFrom, stageOutputs(run.folder, name));
  return { settings: sha256OfJson(settings), madeFrom };
}

/** The stage whose weights a stage starts from; null for fresh or pretrained ones. */
export function sourceStage(recipe: Recipe, stage: TrainingStage | 'labels'): TrainingStage | null {
  if (stage === 'no-cot' || stage === 'cot') return null;
  const order: TrainingStage[] = ['cot', 'encoder', 'decoder', 'union'];
  const before = order.slice(
    0,
    order.includes(stage as TrainingStage) ? order.indexOf(stage as TrainingStage) : undefined,
  );
  return before.filter((name) => recipe.stages[name].steps > 0).at(-1) ?? null;
}

/** The hash of the weights that labels are made with. */
export function labelCheckpoint({ run, context }: ActiveRun): string {
  const source = sourceStage(context.recipe, 'labels')!;
  return stageOutputs(run.folder, source)[`stages/${source}/${MODELS_FILE}`]!;
}
