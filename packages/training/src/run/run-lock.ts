import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const LOCK_FILE = 'lock.json';
const ownerSchema = z.object({ pid: z.int().min(1), host: z.string(), started: z.string() });

/**
 * Takes the lock of a run folder, so that no two processes write one run.
 * The lock of a process that is dead (kill -9) is taken over.
 * @returns Gives the lock back.
 * @throws If a living process holds it, or one on another machine, about which nothing can be known.
 */
export function lockRun(folder: string): () => void {
  const file = join(folder, LOCK_FILE);
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) ?? '' });
  if (!create(file, own)) {
    const stale = readLock(file);
    refuseIfHeld(folder, stale);
    takeAway(folder, file, stale);
    if (!create(file, own)) refuseIfHeld(folder, readLock(file));
  }
  return () => {
    if (readLock(file) === own) rmSync(file);
  };
}

/** Moves a stale lock aside; if another process took it over meanwhile, what was moved is its lock: put it back. */
function takeAway(folder: string, file: string, stale: string): void {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another process was faster; creating the lock tells which one has it
  }
  const moved = readFileSync(aside, 'utf8');
  try {
    if (moved !== stale) linkSync(aside, file);
  } finally {
    rmSync(aside);
  }
  if (moved !== stale) refuseIfHeld(folder, moved);
}

/** Creates the lock with its content in one step: nobody ever sees an empty one. */
function create(file: string, content: string): boolean {
  const prepared = `${file}.${process.pid}.new`;
  writeFileSync(prepared, content);
  try {
    linkSync(prepared, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(prepared);
  }
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function refuseIfHeld(folder: string, lock: string): void {
  let owner: z.infer<typeof ownerSchema>;
  try {
    owner = ownerSchema.parse(JSON.parse(lock));
  } catch {
    return; // gone meanwhile, or damaged: nobody's
  }
  const { pid, host, started } = owner;
  if (host !== hostname()) {
    const remedy = `if that process is gone, remove ${join(folder, LOCK_FILE)}`;
    throw new Error(
      `lockRun: expected ${folder} to be free, got a lock of process ${pid} on ${host} (${remedy})`,
    );
  }
  if (startOf(pid) === started) {
    throw new Error(`lockRun: expected ${folder} to be free, got process ${pid}, which is writing it`);
  }
}

/**
 * When a living process started, undefined for a dead one: numbers of processes are used again.
 * Where the system does not tell (no /proc), every living process has the same start.
 */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? 'unknown' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third field, the state
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
