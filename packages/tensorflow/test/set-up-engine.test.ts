import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineFolder, engineStatus } from '../src/engine-folder.js';
import { unsupportedReason } from '../src/platform.js';
import { setUpRecipe } from '../src/set-up-engine.js';
import { type FakeMachine, fakeMachine, pythonIsHere } from './fake-machine.js';

const loads = async () => ({ tensorflowVersion: '0.0.1' });

describe.skipIf(!pythonIsHere || unsupportedReason() !== null)('set-up', () => {
  let machine: FakeMachine;
  let lines: string[];
  const setUp = (force = false, check = loads) =>
    setUpRecipe(machine.recipe, machine.cache, { force, onProgress: (line) => lines.push(line) }, check);
  const folder = () => engineFolder(machine.cache, machine.recipe);

  beforeEach(async () => {
    machine = await fakeMachine();
    lines = [];
  });
  afterEach(() => machine.remove());

  it('installs on an empty machine, leaves no wheel behind, and is silent the second time', async () => {
    const engine = await setUp();
    expect(engine.installed).toBe(true);
    expect(existsSync(engine.addons[0]!)).toBe(true);
    expect(readdirSync(machine.cache)).toEqual(['tensorflow-0.0.1-cpu-linux-x64']);
    expect(lines.at(-1)).toBe('TensorFlow 0.0.1 (cpu) loads and multiplies');

    lines = [];
    expect(await setUp()).toEqual(engine);
    expect(lines).toEqual([]);
    expect(machine.calls()).toEqual({ downloads: 1, compilations: 1 });
  });

  it('repairs an engine of which any one file is gone or cut short', async () => {
    await setUp();
    const files = readdirSync(folder(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.h'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files).toHaveLength(5);
    for (const file of files)
      for (const damage of [rmSync, truncateSync] as const) {
        damage(file);
        expect(engineStatus(machine.cache, machine.recipe).installed, file).toBe(false);
        expect((await setUp()).installed, file).toBe(true);
      }
  });

  it('goes on after a download that broke off', async () => {
    machine.pip(`echo half > "$2/tiny.whl.part"; echo "connection reset" >&2; exit 1`);
    await expect(setUp()).rejects.toThrow(/pip could not download tiny 0\.0\.1; .*\n.*connection reset/);
    expect(readdirSync(machine.cache)).toEqual([]);
    machine.pip();
    expect((await setUp()).installed).toBe(true);
  });

  it('refuses a wheel that is not the pinned one', async () => {
    machine.pip(`echo other > "$2/tiny-0.0.1-py3-none-any.whl"`);
    await expect(setUp()).rejects.toThrow(
      /expected tiny 0\.0\.1 with SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}/,
    );
    expect(readdirSync(machine.cache)).toEqual([]);
  });

  it('clears away what a killed set-up left, its lock included', async () => {
    mkdirSync(join(machine.cache, '.work-1', 'download'), { recursive: true });
    writeFileSync(join(machine.cache, '.work-1', 'download', 'part'), 'half');
    writeFileSync(join(machine.cache, 'set-up.lock'), '999999999 1');
    expect((await setUp()).installed).toBe(true);
    expect(readdirSync(machine.cache)).toEqual(['tensorflow-0.0.1-cpu-linux-x64']);
  });

  it('takes over the lock of a process whose id another one has now', async () => {
    mkdirSync(machine.cache);
    writeFileSync(join(machine.cache, 'set-up.lock'), `${process.pid} 1`);
    expect((await setUp()).installed).toBe(true);
  });

  it('lets two set-ups at once download only once', async () => {
    const engines = await Promise.all([setUp(), setUp()]);
    expect(engines.map((engine) => engine.installed)).toEqual([true, true]);
    expect(lines).toContain(`waiting for another set-up (process ${process.pid})`);
    expect(machine.calls()).toEqual({ downloads: 1, compilations: 1 });
  });

  it.each([
    ['python3', /python3 was not found; install Python 3/],
    ['g++', /g\+\+ was not found; install a C\+\+ compiler .*run the set-up again/],
  ])('says that %s is missing before it downloads anything', async (name, message) => {
    machine.program(name, null);
    await expect(setUp()).rejects.toThrow(message);
    expect(machine.calls().downloads).toBe(0);
  });

  it('says that pip is missing', async () => {
    machine.program('python3', '[ "$1" = --version ] && echo "Python 3.11.0"');
    await expect(setUp()).rejects.toThrow(/pip was not found; install pip for python3/);
  });

  it('keeps the download when the compiler fails', async () => {
    machine.program('g++', '[ "$1" = --version ] && exit 0; echo "no such header" >&2; exit 1');
    await expect(setUp()).rejects.toThrow(/g\+\+ failed \(1\):\n.*no such header/);
    expect(engineStatus(machine.cache, machine.recipe)).toMatchObject({ installed: false, libraries: true });
  });

  it('does not call an engine installed that does not load', async () => {
    const crash = async () => {
      throw new Error('illegal instruction');
    };
    await expect(setUp(false, crash)).rejects.toThrow(/built but does not run here; illegal instruction/);
    expect(engineStatus(machine.cache, machine.recipe).installed).toBe(false);
    expect((await setUp()).installed).toBe(true);
  });

  it('says how much disk space it lacks', async () => {
    const recipe = { ...machine.recipe, installedBytes: 1e18 };
    await expect(setUpRecipe(recipe, machine.cache, {}, loads)).rejects.toThrow(
      /expected 1000000000\.0 GB free in .*cache, got \d+\.\d GB/,
    );
  });

  it('does everything again when forced', async () => {
    await setUp();
    expect((await setUp(true)).installed).toBe(true);
    expect(machine.calls()).toEqual({ downloads: 2, compilations: 2 });
  });
});
