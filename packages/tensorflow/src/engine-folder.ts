import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { engineAddons } from './engine-addons.js';
import { addonFile } from './native-addon.js';
import { type EngineRecipe, type Flavour, RECIPES } from './wheels.js';

/** One file of the engine as it was when the set-up finished it. */
export interface FileRecord {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** `libraries.json`: written last when the wheels are unpacked. */
export interface LibrariesStamp {
  readonly format: 1;
  readonly wheels: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
  readonly files: Readonly<Record<string, FileRecord>>;
}

/** `ready.json`: written when the binding is built and a process has multiplied matrices with it. */
export interface ReadyStamp {
  readonly format: 1;
  /**
   * Size of each addon by its path below the engine's folder. Versions of this package share a cache: the
   * addons of another one stay listed.
   */
  readonly addonBytes: Readonly<Record<string, number>>;
  readonly tensorflowVersion: string;
}

/** The state of one flavour of the engine in the cache. */
export interface EngineStatus {
  readonly flavour: Flavour;
  readonly folder: string;
  readonly tensorflowVersion: string;
  readonly installed: boolean;
  /** Files of TensorFlow's wheel are in place and of the recorded sizes. */
  readonly libraries: boolean;
  /** Addons (the binding first) to load, absolute paths; empty unless installed. */
  readonly addons: readonly string[];
}

/** Where a flavour lives in the cache. */
export function engineFolder(cache: string, recipe: EngineRecipe): string {
  return join(cache, `tensorflow-${recipe.tensorflowVersion}-${recipe.flavour}-linux-x64`);
}

/** Looks at the cache and changes nothing. */
export function engineStatus(cache: string, recipe: EngineRecipe): EngineStatus {
  const folder = engineFolder(cache, recipe);
  const libraries = librariesAreWhole(folder, recipe);
  const checked = checkedAddons(folder);
  const addons = libraries ? engineAddons().map((addon) => addonFile(addon, folder)) : [];
  const isChecked = (file: string) => sizeBytes(file) === checked[relative(folder, file)];
  const installed = addons.length > 0 && addons.every(isChecked);
  return {
    flavour: recipe.flavour,
    folder,
    tensorflowVersion: recipe.tensorflowVersion,
    installed,
    libraries,
    addons: installed ? addons : [],
  };
}

/**
 * The flavour that a program should load: the GPU's where it is installed and an NVIDIA driver answers,
 * else the CPU's, else whichever is installed; null if none is.
 */
export function installedEngine(cache: string): EngineStatus | null {
  const [cpu, gpu] = [engineStatus(cache, RECIPES.cpu), engineStatus(cache, RECIPES.gpu)];
  if (gpu.installed && (existsSync('/proc/driver/nvidia/version') || !cpu.installed)) return gpu;
  return cpu.installed ? cpu : null;
}

/** The addons that a process has loaded and used, with their sizes in bytes then. */
export function checkedAddons(folder: string): ReadyStamp['addonBytes'] {
  return readStamp<ReadyStamp>(join(folder, 'ready.json'))?.addonBytes ?? {};
}

/** Whether every file that the stamp lists is there with its size, and comes from the pinned wheels. */
export function librariesAreWhole(folder: string, recipe: EngineRecipe): boolean {
  const stamp = readStamp<LibrariesStamp>(join(folder, 'libraries.json'));
  if (stamp === null) return false;
  const pinned = recipe.wheels.every((pin, i) => stamp.wheels[i]?.sha256 === pin.sha256);
  return (
    pinned &&
    Object.entries(stamp.files).every(([name, record]) => sizeBytes(join(folder, name)) === record.sizeBytes)
  );
}

/** Writes a stamp in one step: a reader sees the old one, none, or the whole new one. */
export function writeStamp(file: string, stamp: LibrariesStamp | ReadyStamp): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`, { flush: true });
  renameSync(draft, file);
}

/** Size of a file, null if there is none. */
export function sizeBytes(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null;
}

/** A stamp that cannot be read is as good as none: the set-up then does that part again. */
function readStamp<Stamp extends { readonly format: 1 }>(file: string): Stamp | null {
  try {
    const stamp = JSON.parse(readFileSync(file, 'utf8')) as Stamp;
    return stamp.format === 1 ? stamp : null;
  } catch {
    return null;
  }
}
