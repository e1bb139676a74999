import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The npm package with llama.cpp's prebuilt binaries. */
const VERSION = '3.22.1';
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
};

const TIMEOUT_MS = 10 * 60_000;

/** Installs a folder of npm packages; another one in tests. */
export type Installer = (folder: string, packages: readonly string[]) => Promise<void>;

/**
 * Folder whose node_modules hold llama.cpp for the processor alone, installed the first time.
 *
 * @throws if there is no prebuilt binary for this machine, or npm cannot install.
 */
export async function llamaFolder(
  cache: string,
  onProgress?: (sentence: string) => void,
  install: Installer = npmInstall,
): Promise<string> {
  const machine = `${process.platform}-${process.arch}`;
  const binary = BINARIES[machine];
  if (!binary) throw new Error(`llamaFolder: expected a machine with a prebuilt llama.cpp, got ${machine}`);
  const folder = join(cache, `llama-${VERSION}`);
  if (existsSync(join(folder, 'ready'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
  onProgress?.(`installing llama.cpp (node-llama-cpp ${VERSION}) in ${folder}, once`);
  await install(folder, [`node-llama-cpp@${VERSION}`, `@node-llama-cpp/${binary}@${VERSION}`]);
  writeFileSync(join(folder, 'ready'), '');
  return folder;
}

async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  // optional packages are builds for other devices, some of them large; scripts would compile
  const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  try {
    await promisify(execFile)('npm', ['install', ...flags, ...packages], {
      cwd: folder,
      timeout: TIMEOUT_MS,
    });
  } catch (error) {
    throw new Error(
      `llamaFolder: expected npm to install ${packages[0]}, got ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`,
    );
  }
}
