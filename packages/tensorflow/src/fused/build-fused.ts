import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EngineStatus } from '../engine-folder.js';
import { addonFile, buildAddon } from '../native-addon.js';
import { NATIVE_FOLDER } from '../native-folder.js';
import { findProgram } from '../programs.js';
import { withSetUpLock } from '../set-up-lock.js';
import { checkFused } from './check-fused.js';
import { fusedAddon } from './fused-addon.js';

/**
 * The addon with the fused operations, compiled now (ten to twenty seconds) unless these sources have been
 * compiled before. A compilation that failed is remembered, so that not every start tries it again.
 *
 * @param options.retry Compile even if that failed before.
 * @param options.onBuild Called once before compiling.
 * @throws if it is not there and g++ is missing, rejects the sources, or makes something that does not run.
 */
export async function buildFused(
  engine: EngineStatus,
  options: { readonly retry?: boolean; readonly onBuild?: () => void } = {},
): Promise<string> {
  const addon = fusedAddon(NATIVE_FOLDER);
  const file = addonFile(addon, engine.folder);
  const failure = `${file}.failed`;
  if (existsSync(file)) return file;
  if (options.retry) rmSync(failure, { force: true });
  return withSetUpLock(
    dirname(engine.folder),
    () => undefined,
    async () => {
      // another process may have compiled it while this one waited
      if (existsSync(file)) return file;
      if (existsSync(failure)) throw new Error(readFileSync(failure, 'utf8'));
      const compiler = await findProgram('g++');
      if (!compiler.found) throw new Error(`g++ was not found; ${compiler.cure}`);
      options.onBuild?.();
      removeDrafts(dirname(file), addon.name);
      try {
        await buildAddon(addon, engine.folder, (draft) => checkFused(engine.addons[0]!, draft));
      } catch (error) {
        writeFileSync(failure, (error as Error).message);
        throw error;
      }
      return file;
    },
  );
}

/** What compilations that were killed left behind; the lock is held, so none of it is in use. */
function removeDrafts(folder: string, name: string): void {
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder))
    if (file.startsWith(`${name}-`) && /\.\d+\.node$/.test(file)) rmSync(join(folder, file), { force: true });
}
