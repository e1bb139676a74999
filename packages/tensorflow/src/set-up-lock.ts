import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `action` while no other process does so for the same cache folder.
 *
 * A lock left by a process that is gone is taken over. The lock only saves work: every write below is a
 * private temporary folder renamed into place, so two set-ups that met would still leave a whole engine.
 *
 * @param onWait Called once if another set-up is running, with its process id.
 */
export async function withSetUpLock<T>(
  folder: string,
  onWait: (processId: number) => void,
  action: () => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'set-up.lock');
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (let waited = false; !claim(file, own); waited = true) {
    const holder = readHolder(file);
    if (holder !== null && !isAlive(holder)) {
      takeAway(file, holder);
      continue;
    }
    if (!waited && holder !== null) onWait(Number(holder.split(' ')[0]));
    await sleep(200);
  }
  try {
    return await action();
  } finally {
    if (readHolder(file) === own) rmSync(file, { force: true });
  }
}

/** Creates the lock with its content in one step, so that no reader ever sees it empty. */
function claim(file: string, own: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Removes a dead holder's lock, unless another process has taken it over since it was read. */
function takeAway(file: string, holder: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (readHolder(aside) !== holder) linkSync(aside, file);
  } catch {
    // Someone else took it away first.
  }
  rmSync(aside, { force: true });
}

function isAlive(holder: string): boolean {
  const [processId, start] = holder.split(' ');
  return start !== undefined && startOf(Number(processId)) === start;
}

/** When a process started, in clock ticks since boot: tells a process from a later one with its id. */
function startOf(processId: number): string {
  try {
    const fields = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  } catch {
    return 'gone';
  }
}
