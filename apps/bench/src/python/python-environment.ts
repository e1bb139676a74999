import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a suite's peers import. */
export type PythonNeeds = 'torch' | 'transformers';

export interface PythonSettings {
  /** Folder of the peers, with the requirement files. */
  readonly peers: string;
  /** Where environments are kept. */
  readonly cache: string;
  /** A Python to take as it is: `LATENT_SFT_PYTHON`. */
  readonly existing?: string | undefined;
  readonly onProgress?: (sentence: string) => void;
}

const REQUIREMENTS: Readonly<Record<PythonNeeds, readonly string[]>> = {
  torch: ['requirements.txt'],
  transformers: ['requirements.txt', 'requirements-transformers.txt'],
};

const SYSTEM_PYTHON = 'python3';
const READY = 'ready';

/**
 * A Python that the peers run in: the existing one, or an environment of pinned versions, made the first time.
 *
 * @returns path of its program
 * @throws if the existing one lacks a package.
 * @throws if there is no python3, or pip cannot install.
 */
export async function pythonFor(needs: PythonNeeds, settings: PythonSettings): Promise<string> {
  const { existing, peers, cache, onProgress } = settings;
  if (existing) {
    const wanted = needs === 'torch' ? 'torch, safetensors' : 'torch, safetensors, transformers';
    const tried = await run(existing, ['-c', `import ${wanted}`]);
    if (tried.code === 0) return existing;
    throw new Error(
      `pythonFor: expected ${wanted} in LATENT_SFT_PYTHON=${existing}, got ${tried.lastLines || `code ${tried.code}`}`,
    );
  }
  const files = REQUIREMENTS[needs].map((name) => join(peers, name));
  const digest = createHash('sha256');
  for (const file of files) digest.update(readFileSync(file));
  const folder = join(cache, `python-${needs}-${digest.digest('hex').slice(0, 12)}`);
  const program = join(folder, 'bin', 'python');
  if (existsSync(join(folder, READY))) return program;
  // what an interrupted installation left behind
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  onProgress?.(
    `installing PyTorch for the peers in ${folder}, once (up to 6 GB on Linux, whose package brings CUDA along)`,
  );
  await required(SYSTEM_PYTHON, ['-m', 'venv', folder]);
  const listed = files.flatMap((file) => ['-r', file]);
  await required(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...listed]);
  writeFileSync(join(folder, READY), '');
  return program;
}

async function required(program: string, words: readonly string[]): Promise<void> {
  const { code, lastLines } = await run(program, words);
  if (code === 0) return;
  throw new Error(`pythonFor: expected ${program} ${words.slice(0, 3).join(' ')} to work, got ${lastLines}`);
}

/** Runs a program without blocking, so that Ctrl-C ends it too. */
function run(program: string, words: readonly string[]): Promise<{ code: number | null; lastLines: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, [...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    child.on('error', (error) => resolve({ code: null, lastLines: error.message }));
    child.on('close', (code) => resolve({ code, lastLines: said.trim().split('\n').slice(-3).join(' ') }));
  });
}
