import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type NamedArray,
  readSafetensors,
  syncFolder,
  writeFileAtomically,
  writeSafetensors,
} from '@latent-sft/model';
import { z } from 'zod';
import { checkFile } from './check-file.js';
import { canonicalJson, digestFile, fileDigestSchema } from './digest.js';
import { MANIFEST_FILE } from './manifest.js';
import { readSealedJson, writeSealedJson } from './sealed-json.js';

const TENSORS_FILE = 'tensors.safetensors';
const STATE_FILE = 'state.json';
const KEPT = 2;
const FOLDER_NAME = /^step-(\d{9})$/;

const checkpointSchema = z.strictObject({
  version: z.literal(1),
  step: z.int().min(0),
  files: z.strictObject({ [TENSORS_FILE]: fileDigestSchema, [STATE_FILE]: fileDigestSchema }),
});

/** Everything that a training loop needs to go on as if it had never stopped. */
export interface Checkpoint {
  readonly step: number;
  /** Weights and optimiser moments, float32. */
  readonly tensors: ReadonlyMap<string, NamedArray>;
  /** Counters, random state, best validation so far: JSON, finite numbers only. */
  readonly state: unknown;
}

export interface LoadedCheckpoint extends Checkpoint {
  /** One sentence for each newer checkpoint that was damaged and passed over. */
  readonly warnings: readonly string[];
}

/**
 * Saves a checkpoint under `step-NNNNNNNNN/`: complete or not there at all, even after kill -9.
 * Keeps the one before it, and removes all others: older ones, and newer ones, whose future was lost.
 * @throws If the state holds a number that is not finite.
 * @throws If the disk is full; older checkpoints stay as they were.
 */
export function saveCheckpoint(folder: string, { step, tensors, state }: Checkpoint): void {
  const target = join(folder, folderName(step));
  const partial = `${target}.partial`;
  const stateText = `${canonicalJson(state)}\n`;
  rmSync(partial, { recursive: true, force: true });
  try {
    mkdirSync(partial, { recursive: true });
    writeSafetensors(join(partial, TENSORS_FILE), tensors);
    writeFileAtomically(join(partial, STATE_FILE), [Buffer.from(stateText)]);
    const files = Object.fromEntries(
      [TENSORS_FILE, STATE_FILE].map((name) => [name, digestFile(join(partial, name))]),
    );
    writeSealedJson(join(partial, MANIFEST_FILE), { version: 1, step, files });
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(partial, target);
  syncFolder(folder);
  prune(folder, step);
}

/**
 * Loads the newest checkpoint whose files are what was written.
 * @returns Undefined if there is none at all.
 * @throws If there are checkpoints, but each is damaged; the message is that of the newest.
 */
export function loadLatestCheckpoint(folder: string): LoadedCheckpoint | undefined {
  const warnings: string[] = [];
  for (const step of stepsIn(folder)) {
    try {
      return { ...loadCheckpoint(join(folder, folderName(step)), step), warnings };
    } catch (error) {
      warnings.push((error as Error).message);
    }
  }
  if (warnings.length > 0) throw new Error(warnings[0]);
  return undefined;
}

function loadCheckpoint(folder: string, step: number): Checkpoint {
  const manifest = readSealedJson('loadLatestCheckpoint', join(folder, MANIFEST_FILE), checkpointSchema);
  if (manifest.step !== step) {
    throw new Error(`loadLatestCheckpoint: expected step ${step} in ${folder}, got ${manifest.step}`);
  }
  for (const [name, digest] of Object.entries(manifest.files)) {
    checkFile('loadLatestCheckpoint', join(folder, name), digest);
  }
  return {
    step,
    tensors: readSafetensors(join(folder, TENSORS_FILE)),
    state: JSON.parse(readFileSync(join(folder, STATE_FILE), 'utf8')),
  };
}

function prune(folder: string, newest: number): void {
  const kept = stepsIn(folder)
    .filter((step) => step <= newest)
    .slice(0, KEPT)
    .map(folderName);
  for (const name of readdirSync(folder)) {
    if (name.startsWith('step-') && !kept.includes(name)) rmSync(join(folder, name), { recursive: true });
  }
}

/** Newest first. */
function stepsIn(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const steps = names.flatMap((name) => FOLDER_NAME.exec(name)?.[1] ?? []).map(Number);
  return steps.sort((left, right) => right - left);
}

function folderName(step: number): string {
  return `step-${String(step).padStart(9, '0')}`;
}
