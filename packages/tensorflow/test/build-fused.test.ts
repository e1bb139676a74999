import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineStatus } from '../src/engine-folder.js';
import { buildFused } from '../src/fused/build-fused.js';
import { unsupportedReason } from '../src/platform.js';
import { type FakeMachine, fakeMachine, pythonIsHere } from './fake-machine.js';

describe.skipIf(!pythonIsHere || unsupportedReason() !== null)('building the fused kernels', () => {
  let machine: FakeMachine;
  let engine: EngineStatus;
  const addons = () => readdirSync(join(engine.folder, 'addons'));

  beforeEach(async () => {
    machine = await fakeMachine();
    const folder = join(machine.cache, 'tensorflow-0.0.1-cpu-linux-x64');
    mkdirSync(join(folder, 'addons'), { recursive: true });
    engine = {
      flavour: 'cpu',
      folder,
      tensorflowVersion: '0.0.1',
      installed: true,
      libraries: true,
      addons: [join(folder, 'addons', 'binding.node')],
    };
  });
  afterEach(() => machine.remove());

  it('says that the compiler is missing, and does not hold that against the sources', async () => {
    machine.program('g++', null);
    for (let start = 0; start < 2; start++)
      await expect(buildFused(engine)).rejects.toThrow(/^g\+\+ was not found; install a C\+\+ compiler/);
    expect(addons()).toEqual([]);
  });

  it('does not compile again at every start what the compiler rejected, but does when asked to', async () => {
    const compiler =
      '[ "$1" = --version ] && echo "g++ 9.1" && exit 0; echo compile >> "$(dirname "$0")/calls"; exit 1';
    machine.program('g++', compiler);
    for (let start = 0; start < 3; start++)
      await expect(buildFused(engine)).rejects.toThrow(/^g\+\+ failed \(1\)/);
    expect(machine.calls().compilations).toBe(1);
    await expect(buildFused(engine, { retry: true })).rejects.toThrow(/^g\+\+ failed \(1\)/);
    expect(machine.calls().compilations).toBe(2);
  });

  it('keeps nothing that does not run, and clears away what a killed compilation left', async () => {
    writeFileSync(join(engine.folder, 'addons', 'latent_fused-0123456789abcdef.99.node'), 'half');
    const built: string[] = [];
    await expect(buildFused(engine, { onBuild: () => built.push('once') })).rejects.toThrow(/failed \(1\)/);
    expect(built).toEqual(['once']);
    expect(addons()).toHaveLength(1);
    expect(addons()[0]).toMatch(/^latent_fused-[0-9a-f]{16}\.node\.failed$/);
    expect(existsSync(join(machine.cache, 'set-up.lock'))).toBe(false);
  });
});
