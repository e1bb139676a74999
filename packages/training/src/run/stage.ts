import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { differences } from './differences.js';
import { MANIFEST_FILE, type Manifest, readManifest, verifyManifest, writeManifest } from './manifest.js';

/** What decides a stage's result, as SHA-256: its settings, and by name everything that it is made from. */
export interface StageInputs {
  readonly settings: string;
  readonly madeFrom: Readonly<Record<string, string>>;
}

export type StageStatus = 'absent' | 'partial' | 'finished';

/** `skip` a finished stage, `resume` one that was stopped, `start` one that is absent or has other inputs now. */
export interface StagePlan {
  readonly action: 'skip' | 'resume' | 'start';
  /** The inputs that changed since, as `name (before, not now)`; empty for `skip` and `resume`. */
  readonly changed: readonly string[];
}

/** `stages/<stage>/` of a run. */
export function stageFolder(run: string, stage: string): string {
  return join(run, 'stages', stage);
}

/** `checkpoints/` of a stage; it goes when the stage is finished. */
export function checkpointFolder(run: string, stage: string): string {
  return join(stageFolder(run, stage), 'checkpoints');
}

/** @throws If the stage's manifest is malformed or changed. */
export function stageStatus(run: string, stage: string): StageStatus {
  const folder = stageFolder(run, stage);
  if (!existsSync(join(folder, MANIFEST_FILE))) return 'absent';
  return readManifest(folder).finished ? 'finished' : 'partial';
}

/**
 * Decides by hashes what to do with a stage.
 * @throws If the stage is finished with the same inputs, but a file of it is cut short or was changed.
 */
export function planStage(run: string, stage: string, inputs: StageInputs): StagePlan {
  const status = stageStatus(run, stage);
  if (status === 'absent') return { action: 'start', changed: [] };
  const folder = stageFolder(run, stage);
  const { settings, madeFrom } = readManifest(folder);
  const changed = differences(
    { settings, madeFrom },
    { settings: inputs.settings, madeFrom: inputs.madeFrom },
  );
  if (changed.length > 0) return { action: 'start', changed };
  if (status === 'partial') return { action: 'resume', changed };
  verifyManifest(folder);
  return { action: 'skip', changed };
}

/** Empties the stage's folder and notes the inputs with which it is made, so that a later start can resume it. */
export function startStage(run: string, stage: string, inputs: StageInputs): void {
  const folder = stageFolder(run, stage);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeManifest(folder, { stage, step: 0, finished: false, ...inputs });
}

/**
 * Hashes the stage's files, marks it finished, and removes its checkpoints.
 * @param step The steps that it took.
 */
export function finishStage(run: string, stage: string, inputs: StageInputs, step: number): Manifest {
  const manifest = writeManifest(stageFolder(run, stage), { stage, step, finished: true, ...inputs });
  rmSync(checkpointFolder(run, stage), { recursive: true, force: true });
  return manifest;
}

/**
 * The files of a finished stage by their path in the run, for the `madeFrom` of a later stage.
 * @throws If the stage is not finished.
 */
export function stageOutputs(run: string, stage: string): Record<string, string> {
  const status = stageStatus(run, stage);
  if (status !== 'finished') {
    throw new Error(`stageOutputs: expected stage ${stage} of ${run} to be finished, got ${status}`);
  }
  const { files } = readManifest(stageFolder(run, stage));
  return Object.fromEntries(
    Object.entries(files).map(([name, { sha256 }]) => [`stages/${stage}/${name}`, sha256]),
  );
}
