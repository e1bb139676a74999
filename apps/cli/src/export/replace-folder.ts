import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InputError } from '../errors.js';

/** Every file that an export writes; a folder of anything else is never replaced. */
const EXPORTED = new Set([
  'config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
  'adapter_config.json',
  'adapter_model.safetensors',
]);

/**
 * Checks that a folder may be written: that it is not there, is empty, or is an earlier export that may be replaced.
 *
 * @throws InputError if not, naming what is there.
 */
export function checkTarget(folder: string, overwrite: boolean): void {
  const names = namesIn(folder);
  if (names.length === 0) return;
  if (!overwrite) {
    throw new InputError(
      `expected no folder or an empty one at ${folder}, got one with ${some(names)}; --overwrite replaces an earlier export`,
    );
  }
  const others = names.filter((name) => !EXPORTED.has(name));
  if (others.length > 0) {
    throw new InputError(
      `expected nothing but the files of an earlier export in ${folder} with --overwrite, got ${some(others)}`,
    );
  }
}

function namesIn(folder: string): string[] {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found?.isFile()) throw new InputError(`expected a folder for --out, got the file ${folder}`);
    return found ? readdirSync(folder) : [];
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw notMade(folder, error);
  }
}

function notMade(folder: string, error: unknown): InputError {
  const { code } = error as NodeJS.ErrnoException;
  return new InputError(`expected to make the folder ${folder}, got ${code}`, { cause: error });
}

function some(names: readonly string[]): string {
  return [...names.slice(0, 3), ...(names.length > 3 ? ['…'] : [])].join(', ');
}

/**
 * Writes a folder as a whole: its files go to `<folder>.partial`, which is renamed once they are on the disk. After an
 * error or Ctrl-C there is what was there before, and nothing of the new.
 *
 * @param write puts files into the folder that it is given
 * @throws InputError if the folder cannot be made.
 * @throws if the disk is full.
 * @throws an error named StoppedError after Ctrl-C.
 */
export async function replaceFolder(
  folder: string,
  overwrite: boolean,
  write: (folder: string) => void,
): Promise<void> {
  checkTarget(folder, overwrite);
  const target = resolve(folder);
  const partial = `${target}.partial`;
  let stopped = false;
  const interrupt = () => {
    stopped = true;
  };
  process.once('SIGINT', interrupt);
  try {
    makeFolder(partial, folder);
    write(partial);
    for (const name of readdirSync(partial)) makeDurable(join(partial, name), 'r+');
    await nextTurn(); // a Ctrl-C that came meanwhile is heard here
    if (stopped) throw stoppedError(folder);
    moveInto(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw writeFailure(folder, error);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function makeFolder(partial: string, folder: string): void {
  try {
    rmSync(partial, { recursive: true, force: true }); // of a killed export
    mkdirSync(partial, { recursive: true });
  } catch (error) {
    throw notMade(folder, error);
  }
}

function moveInto(partial: string, target: string): void {
  const earlier = `${target}.replaced`;
  rmSync(earlier, { recursive: true, force: true });
  if (existsSync(target)) renameSync(target, earlier);
  try {
    renameSync(partial, target);
  } catch (error) {
    if (existsSync(earlier)) renameSync(earlier, target);
    throw error;
  }
  rmSync(earlier, { recursive: true, force: true });
  if (process.platform !== 'win32') makeDurable(dirname(target), 'r');
}

function makeDurable(path: string, flags: 'r' | 'r+'): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeFailure(folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const got = code === 'ENOSPC' || code === 'EDQUOT' ? `a full disk (${code})` : code;
  return new Error(`expected to write ${folder}, got ${got}`, { cause: error });
}

function stoppedError(folder: string): Error {
  const error = new Error(`stopped before ${folder} was written; nothing of it was kept`);
  error.name = 'StoppedError';
  return error;
}
