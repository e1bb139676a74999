import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { disposeParameters, parametersFrom } from '@latent-sft/model';
import { CostMeter } from '../loop/cost-meter.js';
import { StoppedError } from '../loop/train-stage.js';
import { LABELS_FILE, type LabelHeader, readLabelManifest } from '../run/label-manifest.js';
import { checkLabelHeader } from '../run/label-store.js';
import { LabelWriter } from '../run/label-writer.js';
import { mendable } from '../run/mendable.js';
import { finishStage, planStage, stageFolder, startStage } from '../run/stage.js';
import { softLabels } from '../stages/encode-examples.js';
import { completeModel, releaseModel } from '../stages/frozen-base.js';
import { inParts } from '../stages/micro-batches.js';
import { encodingWork } from '../stages/step-flops.js';
import type { ActiveRun } from './active-run.js';
import { earlierLabelCosts } from './label-costs.js';
import { labelHeader } from './label-header.js';
import { labelCheckpoint, sourceStage, stageInputs } from './stage-inputs.js';
import { loadModels } from './stage-models.js';

/** Rows made durable at once; how many are computed at once is the recipe's to say. */
const LABEL_CHUNK = 1024;

/** Writes the encoder's mixtures of every training and validation row, once. */
export async function makeLabels(active: ActiveRun): Promise<void> {
  const { run, context, observer } = active;
  const inputs = stageInputs(active, 'labels');
  const folder = stageFolder(run.folder, 'labels');
  const header = labelHeader(context, labelCheckpoint(active));
  const plan = mendable(folder, () => planStage(run.folder, 'labels', inputs));
  if (plan.changed.length > 0) mendable(folder, () => refuseForeignLabels(folder, header));
  observer.onStage?.('labels', plan.action, plan.changed.join(', '));
  if (plan.action === 'skip') return;
  if (plan.action === 'start') startStage(run.folder, 'labels', inputs);
  run.events.append({ type: 'stage', stage: 'labels', action: plan.action });
  const meter = new CostMeter();
  const before = plan.action === 'resume' ? earlierLabelCosts(run.folder) : null;
  if (before) meter.goOn(before);
  const models = loadModels(active, sourceStage(context.recipe, 'labels'));
  const moving = { encoder: parametersFrom(models.encoder), decoder: parametersFrom(models.decoder) };
  const tensors = {
    encoder: completeModel(context.base, moving.encoder),
    decoder: completeModel(context.base, moving.decoder),
  };
  const examples = [...context.train, ...context.validation];
  const writer = mendable(folder, () => new LabelWriter(folder, header));
  try {
    while (writer.nextExample < examples.length) {
      await nextTurn();
      if (active.signal?.aborted) throw new StoppedError('labels', writer.nextExample, 'row');
      const startedAt = performance.now();
      const chunk = examples.slice(writer.nextExample, writer.nextExample + LABEL_CHUNK);
      const parts = inParts(chunk, context.recipe.evaluation.batch);
      writer.append(parts.flatMap((part) => softLabels(context, tensors, part)));
      const work = parts.map((part) => encodingWork(context, part));
      meter.addStep({
        seconds: (performance.now() - startedAt) / 1000,
        tokens: work.reduce((sum, { tokens }) => sum + tokens, 0),
        flops: work.reduce((sum, { flops }) => sum + flops, 0),
      });
      const costs = meter.costs();
      run.events.append({ type: 'labels', stage: 'labels', rows: writer.nextExample, ...costs });
      observer.onStep?.({
        stage: 'labels',
        step: writer.nextExample,
        steps: examples.length,
        loss: 0,
        tokensPerSecond: Math.round(costs.tokens / costs.stepSeconds),
      });
    }
    writer.finish();
  } finally {
    writer.close();
    for (const model of ['encoder', 'decoder'] as const) {
      releaseModel(context.base, moving[model], tensors[model]);
      disposeParameters(moving[model]);
    }
  }
  finishStage(run.folder, 'labels', inputs, examples.length);
  const costs = meter.costs();
  run.events.append({ type: 'stage-done', stage: 'labels', rows: examples.length, ...costs });
  observer.onStage?.('labels', 'done', `${examples.length} rows, ${costs.seconds.toFixed(1)} s`);
}

/** Labels of other weights or rows are made anew; those of other settings came from elsewhere and are refused. */
function refuseForeignLabels(
  folder: string,
  { count: _rows, checkpoint: _weights, ...settings }: LabelHeader,
): void {
  if (!existsSync(join(folder, LABELS_FILE))) return;
  checkLabelHeader('makeLabels', folder, readLabelManifest('makeLabels', folder).header, settings);
}
