import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Tokenizer, tokenizeRecord } from '@latent-sft/data';
import {
  disposeParameters,
  initialWeights,
  loadModelFolder,
  type NamedArray,
  parametersFrom,
  readSafetensors,
  saveModelFolder,
  writeFileAtomically,
  writeSafetensors,
} from '@latent-sft/model';
import { stringify } from 'yaml';
import { type StageWork, type StepProgress, trainStage } from '../loop/train-stage.js';
import type { Recipe, TrainingStage } from '../recipe/recipe.js';
import { sha256OfJson } from '../run/digest.js';
import { openLabelStore } from '../run/label-store.js';
import { LabelWriter } from '../run/label-writer.js';
import { openRun, type Run } from '../run/run-folder.js';
import {
  checkpointFolder,
  finishStage,
  planStage,
  type StageInputs,
  stageFolder,
  stageOutputs,
  startStage,
} from '../run/stage.js';
import { chainStage } from '../stages/chain-stage.js';
import { softLabels } from '../stages/encode-examples.js';
import { modelConfigOf, type StageContext } from '../stages/stage-context.js';
import { joinModels, type StageOneModels, splitModels, stageOne } from '../stages/stage-one.js';
import { studentStage } from '../stages/student-stage.js';
import { labelHeader } from './label-header.js';
import { loadRunData } from './run-data.js';
import { BEST_FILE, MODELS_FILE, stagesOf } from './stage-files.js';

/** What whoever watches a run is told. */
export interface RunObserver {
  onStage?(stage: string, action: 'skip' | 'resume' | 'start' | 'done', about: string): void;
  onStep?(progress: StepProgress): void;
}

/** A run in progress: everything that its stages share. */
interface Session {
  readonly run: Run;
  readonly context: StageContext;
  readonly dataDigest: string;
  readonly signal: AbortSignal | undefined;
  readonly observer: RunObserver;
}

/**
 * Runs every stage of a recipe in a folder: finished stages are skipped by hash, a stopped one goes on from its
 * last checkpoint, one whose inputs changed is made anew.
 *
 * @param folder made if it is not there
 * @throws if the folder belongs to another recipe or is being written by another process.
 * @throws if a stage fails; the folder can be run again.
 */
export async function runRecipe(
  recipe: Recipe,
  folder: string,
  options: { readonly signal?: AbortSignal; readonly observer?: RunObserver } = {},
): Promise<void> {
  const data = loadRunData(recipe);
  const config = modelConfigOf(recipe, data.tokenizer.vocabulary.length);
  const tokens = (records: typeof data.train) =>
    records.map((record) => tokenizeRecord(record, data.tokenizer, recipe.segmenter));
  const context: StageContext = {
    recipe,
    config,
    tokenizer: data.tokenizer,
    train: tokens(data.train),
    validation: tokens(data.validation),
    validationRecords: data.validation.slice(0, recipe.evaluation.validationItems),
  };
  const run = openRun(folder, stringify(recipe));
  try {
    writeTokenizer(folder, data.tokenizer);
    run.events.append({
      type: 'data',
      train: data.train.length,
      validation: data.validation.length,
      test: data.test.length,
      removed: data.removed,
      trainSha256: data.digests.train,
      validationSha256: data.digests.validation,
      testSha256: data.digests.test,
    });
    const session: Session = {
      run,
      context,
      dataDigest: sha256OfJson(data.digests),
      signal: options.signal,
      observer: options.observer ?? {},
    };
    for (const stage of stagesOf(recipe)) {
      if (stage === 'labels') makeLabels(session);
      else await makeStage(session, stage);
    }
  } finally {
    run.close();
  }
}

function writeTokenizer(folder: string, tokenizer: Tokenizer): void {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) writeFileAtomically(file, [Buffer.from(`${JSON.stringify(tokenizer.toJSON())}\n`)]);
}

/** Skips, resumes or makes one stage that trains. */
async function makeStage(session: Session, stage: TrainingStage): Promise<void> {
  const { run, context, observer } = session;
  const inputs = stageInputs(session, stage);
  const plan = planStage(run.folder, stage, inputs);
  observer.onStage?.(stage, plan.action, plan.changed.join(', '));
  if (plan.action === 'skip') return;
  if (plan.action === 'start') startStage(run.folder, stage, inputs);
  run.events.append({ type: 'stage', stage, action: plan.action });
  const startedAt = performance.now();
  const { work, dispose } = workOf(session, stage);
  try {
    const target = stageFolder(run.folder, stage);
    const { weights, best } = await trainStage(work, {
      folder: target,
      checkpoints: checkpointFolder(run.folder, stage),
      events: run.events,
      ...(session.signal && { signal: session.signal }),
      ...(observer.onStep && { onStep: observer.onStep }),
    });
    saveStage(session, stage, weights);
    rmSync(join(target, BEST_FILE), { force: true });
    finishStage(run.folder, stage, inputs, work.steps);
    const seconds = (performance.now() - startedAt) / 1000;
    const rssBytes = process.memoryUsage.rss();
    run.events.append({
      type: 'stage-done',
      stage,
      seconds,
      rssBytes,
      bestStep: best.step,
      loss: best.loss,
      accuracy: best.accuracy,
    });
    const { validation } = context;
    observer.onStage?.(
      stage,
      'done',
      `best at step ${best.step}: validation loss ${best.loss.toFixed(4)}, accuracy ${(100 * best.accuracy).toFixed(1)} % (${validation.length} held out), ${seconds.toFixed(1)} s`,
    );
  } finally {
    work.vector.dispose();
    dispose();
  }
}

/** What decides a stage's result: its settings, the data, and the stages that it starts from. */
function stageInputs({ run, context, dataDigest }: Session, stage: TrainingStage | 'labels'): StageInputs {
  const { recipe } = context;
  const { name: _name, stages, evaluation, ...shared } = recipe;
  const settings = { ...shared, evaluation, stage: stage === 'labels' ? null : stages[stage] };
  const source = sourceStage(recipe, stage);
  const earlier = stage === 'student' ? [source!, 'labels'] : source ? [source] : [];
  const madeFrom: Record<string, string> = { data: dataDigest };
  for (const name of earlier) Object.assign(madeFrom, stageOutputs(run.folder, name));
  return { settings: sha256OfJson(settings), madeFrom };
}

/** The stage whose weights a stage starts from; null for fresh ones. */
function sourceStage(recipe: Recipe, stage: TrainingStage | 'labels'): TrainingStage | null {
  if (stage === 'no-cot' || stage === 'cot') return null;
  const order: TrainingStage[] = ['cot', 'encoder', 'decoder', 'union'];
  const before = order.slice(
    0,
    order.includes(stage as TrainingStage) ? order.indexOf(stage as TrainingStage) : undefined,
  );
  return before.filter((name) => recipe.stages[name].steps > 0).at(-1)!;
}

function workOf(session: Session, stage: TrainingStage): { work: StageWork; dispose(): void } {
  const { context, run } = session;
  const { recipe, config } = context;
  if (stage === 'no-cot' || stage === 'cot') {
    const initial = initialWeights(config, recipe.seed, recipe.model.initialDeviation);
    return { work: chainStage(context, stage, initial), dispose: () => {} };
  }
  const source = sourceStage(recipe, stage)!;
  const models = loadModels(run.folder, source);
  if (stage === 'student') {
    const store = openLabelStore(
      stageFolder(run.folder, 'labels'),
      labelHeader(context, labelCheckpoint(session)),
    );
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

/** Encoder and decoder after a stage; both are the CoT model before stage 1. */
function loadModels(folder: string, stage: TrainingStage): StageOneModels<NamedArray> {
  if (stage === 'cot') {
    const { weights } = loadModelFolder(stageFolder(folder, stage));
    return { encoder: weights, decoder: weights };
  }
  return splitModels(readSafetensors(join(stageFolder(folder, stage), MODELS_FILE)));
}

function saveStage({ run, context }: Session, stage: TrainingStage, weights: Map<string, NamedArray>): void {
  const target = stageFolder(run.folder, stage);
  if (stage === 'no-cot' || stage === 'cot' || stage === 'student') {
    saveModelFolder(target, context.config, weights);
    return;
  }
  const before = loadModels(run.folder, sourceStage(context.recipe, stage)!);
  const after = { ...before, ...withoutEmpty(splitModels(weights)) };
  writeSafetensors(join(target, MODELS_FILE), joinModels(after));
}

function withoutEmpty(models: StageOneModels<NamedArray>): Partial<StageOneModels<NamedArray>> {
  return Object.fromEntries(Object.entries(models).filter(([, weights]) => weights.size > 0));
}

/** The hash of the weights that labels are made with. */
function labelCheckpoint({ run, context }: Session): string {
  const source = sourceStage(context.recipe, 'labels')!;
  return stageOutputs(run.folder, source)[`stages/${source}/${MODELS_FILE}`]!;
}

const LABEL_CHUNK = 1024;

/** Writes the encoder's mixtures of every training and validation row, once. */
function makeLabels(session: Session): void {
  const { run, context, observer } = session;
  const inputs = stageInputs(session, 'labels');
  const plan = planStage(run.folder, 'labels', inputs);
  observer.onStage?.('labels', plan.action, plan.changed.join(', '));
  if (plan.action === 'skip') return;
  if (plan.action === 'start') startStage(run.folder, 'labels', inputs);
  run.events.append({ type: 'stage', stage: 'labels', action: plan.action });
  const startedAt = performance.now();
  const models = loadModels(run.folder, sourceStage(context.recipe, 'labels')!);
  const tensors = { encoder: parametersFrom(models.encoder), decoder: parametersFrom(models.decoder) };
  const examples = [...context.train, ...context.validation];
  const writer = new LabelWriter(
    stageFolder(run.folder, 'labels'),
    labelHeader(context, labelCheckpoint(session)),
  );
  try {
    while (writer.nextExample < examples.length) {
      const chunk = examples.slice(writer.nextExample, writer.nextExample + LABEL_CHUNK);
      writer.append(softLabels(context, tensors, chunk));
      const seconds = (performance.now() - startedAt) / 1000;
      observer.onStep?.({
        stage: 'labels',
        step: writer.nextExample,
        steps: examples.length,
        loss: 0,
        tokensPerSecond: Math.round(writer.nextExample / seconds),
      });
    }
    writer.finish();
  } finally {
    writer.close();
    disposeParameters(tensors.encoder);
    disposeParameters(tensors.decoder);
  }
  finishStage(run.folder, 'labels', inputs, examples.length);
  const seconds = (performance.now() - startedAt) / 1000;
  run.events.append({ type: 'stage-done', stage: 'labels', seconds, rows: examples.length });
  observer.onStage?.('labels', 'done', `${examples.length} rows, ${seconds.toFixed(1)} s`);
}
