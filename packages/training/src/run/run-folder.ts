import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '@latent-sft/model';
import { parse } from 'yaml';
import { differences } from './differences.js';
import { EventLog } from './event-log.js';
import { InputError } from './input-error.js';
import { lockRun } from './run-lock.js';

export const RECIPE_FILE = 'recipe.yaml';
export const EVENTS_FILE = 'events.jsonl';

/** A run that this process writes: it holds the folder's lock until `close`. */
export interface Run {
  readonly folder: string;
  readonly events: EventLog;
  close(): void;
}

/**
 * Creates a run folder, or opens the one that is there to go on with it.
 * @param recipe The resolved recipe as YAML, every default written out; written once.
 * @throws If another process is writing the run.
 * @throws InputError if the folder holds a run of another recipe; the message names the keys that differ.
 * @throws InputError if the folder cannot be made, or holds other files and no recipe.
 */
export function openRun(folder: string, recipe: string): Run {
  makeFolder(folder);
  const unlock = lockRun(folder);
  try {
    if (existsSync(join(folder, RECIPE_FILE))) checkRecipe(folder, recipe);
    else createRecipe(folder, recipe);
    const events = new EventLog(join(folder, EVENTS_FILE));
    const close = (): void => {
      events.close();
      unlock();
    };
    return { folder, events, close };
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * Reads the resolved recipe of a run; needs no lock.
 * @throws If the folder holds no run.
 * @throws If the recipe is not YAML.
 */
export function readRecipe(folder: string): unknown {
  const file = join(folder, RECIPE_FILE);
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`readRecipe: expected a run folder with a recipe in ${file}, got ${code ?? message}`);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`openRun: expected to make the run folder ${folder}, got ${code}`, { cause: error });
  }
}

function checkRecipe(folder: string, recipe: string): void {
  const changed = differences(readRecipe(folder), parse(recipe));
  if (changed.length > 0) {
    throw new InputError(
      `openRun: expected the recipe of the run in ${folder}, got another ${changed.join(', ')}; ` +
        'take a new folder, or the recipe that the run began with',
    );
  }
}

function createRecipe(folder: string, recipe: string): void {
  const others = readdirSync(folder).filter(
    (name) => !name.startsWith('lock.json') && !name.endsWith('.partial'),
  );
  if (others.length > 0) {
    throw new InputError(
      `openRun: expected an empty folder or a run in ${folder}, got ${others.slice(0, 3).join(', ')}`,
    );
  }
  writeFileAtomically(join(folder, RECIPE_FILE), [Buffer.from(recipe)]);
}
