import { wilsonInterval } from '@latent-sft/metrics';
import { disposeParameters, parametersFrom } from '@latent-sft/model';
import { CostMeter } from '../loop/cost-meter.js';
import { type StageWork, trainStage } from '../loop/train-stage.js';
import type { TrainingStage } from '../recipe/stage-settings.js';
import { openLabelStore } from '../run/label-store.js';
import { mendable } from '../run/mendable.js';
import { checkpointFolder, finishStage, planStage, stageFolder, startStage } from '../run/stage.js';
import { chainStage } from '../stages/chain-stage.js';
import { stageOne } from '../stages/stage-one.js';
import { studentStage } from '../stages/student-stage.js';
import type { ActiveRun } from './active-run.js';
import { labelHeader } from './label-header.js';
import { labelCheckpoint, sourceStage, stageInputs } from './stage-inputs.js';
import { loadModels, saveStage } from './stage-models.js';
import { startingWeights } from './starting-weights.js';

/** Skips, resumes or makes one stage that trains. */
export async function makeStage(active: ActiveRun, stage: TrainingStage): Promise<void> {
  const { run, context, observer } = active;
  const inputs = stageInputs(active, stage);
  const folder = stageFolder(run.folder, stage);
  const plan = mendable(folder, () => planStage(run.folder, stage, inputs));
  observer.onStage?.(stage, plan.action, plan.changed.join(', '));
  if (plan.action === 'skip') return;
  if (plan.action === 'start') startStage(run.folder, stage, inputs);
  run.events.append({ type: 'stage', stage, action: plan.action });
  const meter = new CostMeter();
  const { work, dispose } = workOf(active, stage);
  try {
    const { weights, best } = await trainStage(work, {
      checkpoints: checkpointFolder(run.folder, stage),
      events: run.events,
      meter,
      ...(active.signal && { signal: active.signal }),
      ...(observer.onStep && { onStep: observer.onStep }),
      ...(observer.onWarning && { onWarning: observer.onWarning }),
    });
    saveStage(active, stage, weights);
    finishStage(run.folder, stage, inputs, work.steps);
    const costs = meter.costs();
    run.events.append({
      type: 'stage-done',
      stage,
      steps: work.steps,
      ...costs,
      bestStep: best.step,
      loss: best.loss,
      accuracy: best.accuracy,
    });
    const { validation, validationRecords } = context;
    const items = validationRecords.length;
    const [low, high] = wilsonInterval(Math.round(best.accuracy * items), items);
    const percent = (share: number) => (100 * share).toFixed(1);
    observer.onStage?.(
      stage,
      'done',
      `best at step ${best.step}: validation loss ${best.loss.toFixed(4)} on ${validation.length} questions, ` +
        `accuracy ${percent(best.accuracy)} % on ${items} (95 % interval ${percent(low)} to ${percent(high)}), ` +
        `${costs.seconds.toFixed(1)} s`,
    );
  } finally {
    work.vector.dispose();
    dispose();
  }
}

function workOf(active: ActiveRun, stage: TrainingStage): { work: StageWork; dispose(): void } {
  const { context, run } = active;
  if (stage === 'no-cot' || stage === 'cot') {
    return { work: chainStage(context, stage, startingWeights(active)), dispose: () => {} };
  }
  const models = loadModels(active, sourceStage(context.recipe, stage));
  if (stage === 'student') {
    const folder = stageFolder(run.folder, 'labels');
    const header = labelHeader(context, labelCheckpoint(active));
    const store = mendable(folder, () => openLabelStore(folder, header));
    const rows = context.train.length;
    const labels = {
      train: (example: number) => store.read(example),
      validation: (example: number) => store.read(rows + example),
    };
    return { work: studentStage(context, models.decoder, labels), dispose: () => store.close() };
  }
  const still = stage === 'encoder' ? 'decoder' : stage === 'decoder' ? 'encoder' : null;
  const frozen = still ? parametersFrom(models[still]) : null;
  const work = stageOne(context, stage, models, still && frozen ? { [still]: frozen } : {});
  return { work, dispose: () => frozen && disposeParameters(frozen) };
}
