import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSha256 } from '../src/file-hash.js';
import type { EngineRecipe } from '../src/wheels.js';

/** A cache folder, a tiny wheel, and a PATH on which pip and g++ are scripts of ours. */
export interface FakeMachine {
  readonly cache: string;
  readonly recipe: EngineRecipe;
  /** Replaces a program by a shell script, or takes it away. */
  program(name: string, script: string | null): void;
  /** Replaces what pip does once it was asked to download into the folder `$2`; without it, it works. */
  pip(download?: string): void;
  /** How often pip and g++ were asked to do their work. */
  calls(): { downloads: number; compilations: number };
  remove(): void;
}

const realPath = process.env.PATH!;
const which = (name: string) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
/** Not `which`: that may be a shim which needs more on its PATH than a fake machine has. */
const realPython = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).stdout?.trim();

/** Unpacking a wheel takes a real Python. */
export const pythonIsHere = Boolean(realPython);

const pip = (download: string) => `
if [ "$3" = --version ]; then echo "pip 23.0"; exit 0; fi
if [ "$2" = pip ]; then
  while [ "$1" != --dest ]; do shift; done
  echo download >> "$(dirname "$0")/calls"
  ${download}
  exit 0
fi
exec ${realPython} "$@"`;

const COMPILER = `
if [ "$1" = --version ]; then echo "g++ 12.2.0"; exit 0; fi
while [ "$1" != -o ]; do shift; done
echo compile >> "$(dirname "$0")/calls"
echo built > "$2"`;

/** Makes a machine on which everything works; `PATH` is restored by `remove`. */
export async function fakeMachine(): Promise<FakeMachine> {
  const folder = mkdtempSync(join(tmpdir(), 'engine-test-'));
  const [bin, source] = [join(folder, 'bin'), join(folder, 'source')];
  mkdirSync(bin);
  mkdirSync(join(source, 'tensorflow', 'include'), { recursive: true });
  writeFileSync(join(source, 'tensorflow', 'libtensorflow_cc.so.2'), 'library');
  writeFileSync(join(source, 'tensorflow', 'libtensorflow_framework.so.2'), 'framework');
  writeFileSync(join(source, 'tensorflow', 'include', 'c_api.h'), '// header');
  const wheel = join(folder, 'tiny-0.0.1-py3-none-any.whl');
  spawnSync('python3', ['-m', 'zipfile', '-c', wheel, join(source, 'tensorflow')]);
  const machine: FakeMachine = {
    cache: join(folder, 'cache'),
    recipe: {
      flavour: 'cpu',
      tensorflowVersion: '0.0.1',
      wheels: [{ name: 'tiny', version: '0.0.1', sha256: await fileSha256(wheel), keep: 'tensorflow/.*' }],
      downloadBytes: 1000,
      installedBytes: 1000,
    },
    program(name, script) {
      rmSync(join(bin, name), { force: true });
      if (script === null) return;
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    },
    pip(download = `cp ${wheel} "$2/"`) {
      machine.program('python3', pip(download));
    },
    calls() {
      const file = join(bin, 'calls');
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
      const count = (call: string) => lines.filter((line) => line === call).length;
      return { downloads: count('download'), compilations: count('compile') };
    },
    remove() {
      process.env.PATH = realPath;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const name of ['sh', 'cp', 'dirname', 'sync', 'which', 'sleep'])
    symlinkSync(which(name), join(bin, name));
  process.env.PATH = bin;
  machine.pip();
  machine.program('g++', COMPILER);
  return machine;
}
