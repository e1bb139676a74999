import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Parameters } from '@latent-sft/model';
import { type NamedArray, readSafetensors, writeSafetensors } from '@latent-sft/model';
import { z } from 'zod';
import { type LearningRateSettings, learningRateAt } from '../optimiser/learning-rate.js';
import {
  type Loss,
  NotFiniteError,
  type OptimiserSettings,
  type TrainableVector,
} from '../optimiser/trainable-vector.js';
import { checkFile } from '../run/check-file.js';
import { loadLatestCheckpoint, saveCheckpoint } from '../run/checkpoint.js';
import { digestFile, fileDigestSchema } from '../run/digest.js';
import type { EventLog } from '../run/event-log.js';
import { mendable } from '../run/mendable.js';
import { CostMeter, stageCostsSchema } from './cost-meter.js';

/** One step's work, made from its number alone, so that a resumed stage sees what a whole one saw. */
export interface PreparedStep {
  /** The losses of its parts, which sum to that of the step. */
  readonly losses: readonly ((parameters: Parameters) => Loss)[];
  /** What whoever watches should know of this step. */
  readonly warnings?: readonly string[];
  /** Tokens that the step computes, padding left out. */
  readonly tokens: number;
  /** FLOPs of its losses and their gradients, padding included. */
  readonly flops: number;
  dispose(): void;
}

/** What validation saw. */
export interface Validation {
  readonly loss: number;
  readonly accuracy: number;
  /** FLOPs that it took. */
  readonly flops: number;
}

/** A stage as the loop sees it. */
export interface StageWork {
  readonly name: string;
  readonly steps: number;
  readonly learningRate: LearningRateSettings;
  readonly optimiser: OptimiserSettings;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly selectBy: 'loss' | 'accuracy';
  readonly vector: TrainableVector;
  prepare(step: number): PreparedStep;
  validate(parameters: Parameters): Validation;
}

/** What a step tells whoever watches. */
export interface StepProgress {
  readonly stage: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Of the steps since the last report, validation left out. */
  readonly tokensPerSecond: number;
  readonly validation?: Validation;
}

/** Where a stage is run. */
export interface LoopContext {
  /** Folder of its checkpoints, and of the best weights so far. */
  readonly checkpoints: string;
  readonly events: EventLog;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: StepProgress) => void;
  /** Told of a damaged checkpoint that was passed over for an older one. */
  readonly onWarning?: (sentence: string) => void;
  /** Adds up what the stage costs; default one that starts with the loop. */
  readonly meter?: CostMeter;
}

const stateSchema = z.strictObject({
  best: z
    .strictObject({ step: z.int().min(0), loss: z.number(), accuracy: z.number(), file: fileDigestSchema })
    .nullable(),
  /** Absent from checkpoints of earlier versions. */
  costs: stageCostsSchema.optional(),
});
type Best = z.infer<typeof stateSchema>['best'];

const BEST_FILE = 'best.safetensors';
const LOG_EVERY = 10;

/** A stage was stopped on request; what it has done is on disk. */
export class StoppedError extends Error {
  constructor(stage: string, done: number, unit: 'step' | 'row' = 'step') {
    super(`runRecipe: stopped ${stage} at ${unit} ${done}; run the same command again to go on from there`);
    this.name = 'StoppedError';
  }
}

/**
 * Trains a stage: one loop for all of them. Validates, keeps the weights that validated best, saves
 * checkpoints, and goes on from the newest one if there is any.
 *
 * @returns the best weights by validation, and the step they are from.
 * @throws StoppedError when the signal asks for it, after saving a checkpoint.
 * @throws if the loss or gradient is no longer finite; the last checkpoint stays.
 * @throws if every checkpoint, or the file of the best weights, is damaged.
 */
export async function trainStage(
  work: StageWork,
  context: LoopContext,
): Promise<{ weights: Map<string, NamedArray>; best: NonNullable<Best> }> {
  const { name, steps, vector } = work;
  const warn = (message: string) => {
    context.events.append({ type: 'warning', stage: name, message });
    context.onWarning?.(message);
  };
  const resumed = mendable(context.checkpoints, () => loadLatestCheckpoint(context.checkpoints));
  const meter = context.meter ?? new CostMeter();
  const bestFile = join(context.checkpoints, BEST_FILE);
  let best: Best = null;
  let done = 0;
  if (resumed) {
    vector.restore(resumed.tensors);
    done = resumed.step;
    const state = stateSchema.parse(resumed.state);
    best = state.best;
    if (state.costs) meter.goOn(state.costs);
    for (const message of resumed.warnings) warn(`${message}; going on from an older one`);
    context.events.append({ type: 'resume', stage: name, step: done });
  }
  const save = () =>
    saveCheckpoint(context.checkpoints, {
      step: done,
      tensors: vector.snapshot(),
      state: { best, costs: meter.costs() },
    });
  let reported = meter.costs();
  while (done < steps) {
    await nextTurn();
    if (context.signal?.aborted) {
      save();
      throw new StoppedError(name, done);
    }
    const learningRate = learningRateAt(work.learningRate, done, steps);
    const startedAt = performance.now();
    const prepared = work.prepare(done);
    for (const message of prepared.warnings ?? []) warn(message);
    const report = descend(work, prepared, done + 1, learningRate);
    const { tokens, flops } = prepared;
    meter.addStep({ seconds: (performance.now() - startedAt) / 1000, tokens, flops });
    done++;
    const validating = done % work.validateEvery === 0 || done === steps;
    let validation: Validation | undefined;
    if (validating) {
      validation = work.validate(vector.parameters);
      meter.addValidation(validation.flops);
      if (!best || better(validation, best, work.selectBy)) {
        mkdirSync(context.checkpoints, { recursive: true });
        writeSafetensors(bestFile, vector.arrays());
        const { loss, accuracy } = validation;
        best = { step: done, loss, accuracy, file: digestFile(bestFile) };
      }
      context.events.append({ type: 'validation', stage: name, step: done, ...validation });
    }
    if (done % LOG_EVERY === 0 || validating) {
      const costs = meter.costs();
      const seconds = costs.stepSeconds - reported.stepSeconds;
      const tokensPerSecond = Math.round((costs.tokens - reported.tokens) / seconds);
      const gflopsPerSecond = (costs.flops - reported.flops) / 1e9 / seconds;
      reported = costs;
      const { loss, gradientNorm, parts } = report;
      context.events.append({
        type: 'step',
        stage: name,
        step: done,
        loss,
        gradientNorm,
        learningRate,
        tokensPerSecond,
        gflopsPerSecond,
        ...parts,
      });
      context.onStep?.({
        stage: name,
        step: done,
        steps,
        loss,
        tokensPerSecond,
        ...(validation && { validation }),
      });
    }
    if (done % work.checkpointEvery === 0 && done < steps) save();
  }
  mendable(context.checkpoints, () => checkFile('trainStage', bestFile, best!.file));
  return { weights: readSafetensors(bestFile), best: best! };
}

function descend(work: StageWork, prepared: PreparedStep, step: number, learningRate: number) {
  try {
    return work.vector.descend(prepared.losses, step, learningRate, work.optimiser);
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    throw new Error(
      `${error.message} of stage ${work.name}; take a lower learning rate, in a run folder of its own`,
    );
  } finally {
    prepared.dispose();
  }
}

/** Higher accuracy or lower loss; among equal accuracies the lower loss. */
function better(now: Validation, best: Omit<Validation, 'flops'>, selectBy: 'loss' | 'accuracy'): boolean {
  if (selectBy === 'loss' || now.accuracy === best.accuracy) return now.loss < best.loss;
  return now.accuracy > best.accuracy;
}
