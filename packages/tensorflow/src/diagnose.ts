import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { cacheFolder } from './cache-folder.js';
import { checkEngine } from './check-engine.js';
import { setUpCommand } from './cure.js';
import { type EngineStatus, engineStatus, installedEngine } from './engine-folder.js';
import { folderSizeBytes } from './fetch-wheel.js';
import { currentPlatform, unsupportedReason } from './platform.js';
import { instructionSets, processorModel } from './processor.js';
import { findProgram, type Program } from './programs.js';
import { RECIPES } from './wheels.js';

/** Something that is missing or broken, and what mends it. */
export interface Problem {
  readonly what: string;
  readonly cure: string;
}

/** The state of this machine and of the native engine on it. */
export interface Diagnosis {
  readonly healthy: boolean;
  readonly problems: readonly Problem[];
  readonly node: { readonly version: string };
  readonly system: {
    readonly platform: string;
    readonly architecture: string;
    readonly glibc: string | null;
  };
  readonly processor: {
    readonly model: string | null;
    readonly cores: number;
    readonly instructionSets: readonly string[];
  };
  readonly programs: readonly Program[];
  readonly cache: { readonly folder: string; readonly sizeBytes: number; readonly freeBytes: number | null };
  readonly engines: readonly EngineStatus[];
  /** The engine that programs load, and the version that it reported when it was loaded just now. */
  readonly active: {
    readonly flavour: string;
    readonly loads: boolean;
    readonly tensorflowVersion: string | null;
  } | null;
}

/** Looks at everything the engine needs; changes nothing, and loads the engine only in a process of its own. */
export async function diagnose(): Promise<Diagnosis> {
  const platform = currentPlatform();
  const cache = cacheFolder();
  const programs = await Promise.all((['python3', 'pip', 'g++'] as const).map(findProgram));
  const engine = installedEngine(cache);
  const problems: Problem[] = [];

  const unsupported = unsupportedReason(platform);
  if (unsupported !== null)
    problems.push({ what: unsupported, cure: 'use Linux on x86-64, or go on with the slower wasm backend' });
  else if (engine === null) {
    for (const program of programs)
      if (!program.found) problems.push({ what: `${program.name} was not found`, cure: program.cure });
    problems.push({ what: 'the native engine is not set up', cure: `run: ${setUpCommand()}` });
  }

  const active = engine === null ? null : await load(engine, problems);
  return {
    healthy: problems.length === 0,
    problems,
    node: { version: process.versions.node },
    system: { platform: platform.system, architecture: platform.architecture, glibc: platform.glibc },
    processor: { model: processorModel(), cores: availableParallelism(), instructionSets: instructionSets() },
    programs,
    cache: { folder: cache, sizeBytes: folderSizeBytes(cache), freeBytes: await freeBytes(cache) },
    engines: [engineStatus(cache, RECIPES.cpu), engineStatus(cache, RECIPES.gpu)],
    active,
  };
}

async function load(engine: EngineStatus, problems: Problem[]): Promise<Diagnosis['active']> {
  try {
    const { tensorflowVersion } = await checkEngine(engine.addons);
    return { flavour: engine.flavour, loads: true, tensorflowVersion };
  } catch (error) {
    const what = `the native engine is set up but does not run: ${(error as Error).message}`;
    problems.push({ what, cure: `run: ${setUpCommand(true)}` });
    return { flavour: engine.flavour, loads: false, tensorflowVersion: null };
  }
}

async function freeBytes(folder: string): Promise<number | null> {
  if (!existsSync(folder)) return null;
  const disk = await statfs(folder);
  return disk.bavail * disk.bsize;
}
