import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { findProgram, runProgram } from './programs.js';

/** A Node addon in C++ against Node-API and TensorFlow. */
export interface NativeAddon {
  readonly name: string;
  /** C++ files to compile, absolute paths. */
  readonly sources: readonly string[];
  /** Further files whose change asks for a new build (headers), absolute paths. */
  readonly headers: readonly string[];
  /** Further compiler flags. */
  readonly flags: readonly string[];
}

const NODE_API_VERSION = 8;
const require = createRequire(import.meta.url);

/**
 * The file that an addon is built as: named after a hash of its sources, headers and flags, so that a
 * finished file is always the right one.
 *
 * @param engine Engine folder, with `tensorflow/include` and the two libraries.
 */
export function addonFile(addon: NativeAddon, engine: string): string {
  const hash = createHash('sha256').update(`${NODE_API_VERSION} ${compilerFlags(addon).join(' ')}`);
  for (const file of [...addon.sources, ...addon.headers])
    hash.update(`\0${basename(file)}\0`).update(readFileSync(file));
  return join(engine, 'addons', `${addon.name}-${hash.digest('hex').slice(0, 16)}.node`);
}

/**
 * Builds an addon with one call of g++, unless it is there already.
 *
 * Node-API's ABI is the same in every Node release, so its headers come from the npm package
 * `node-api-headers` and one binary serves Node 20, 22 and 24.
 *
 * @param check Called with the finished file before it goes to its place; what it throws keeps it from there.
 * @returns the addon's path and whether it was built now.
 * @throws if g++ is missing or rejects the sources.
 */
export async function buildAddon(
  addon: NativeAddon,
  engine: string,
  check: (draft: string) => Promise<void> = async () => undefined,
): Promise<{ readonly file: string; readonly built: boolean }> {
  const file = addonFile(addon, engine);
  if (existsSync(file)) return { file, built: false };
  const compiler = await findProgram('g++');
  if (!compiler.found)
    throw new Error(`setUpEngine: g++ was not found; ${compiler.cure} and run the set-up again`);
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file.slice(0, -'.node'.length)}.${process.pid}.node`;
  const libraries = join(engine, 'tensorflow');
  try {
    await runProgram('g++', [
      ...compilerFlags(addon),
      ...[`-I${join(libraries, 'include')}`, `-I${nodeApiHeaders()}`],
      ...addon.sources,
      ...[
        '-o',
        draft,
        join(libraries, 'libtensorflow_cc.so.2'),
        join(libraries, 'libtensorflow_framework.so.2'),
      ],
      '-Wl,-rpath,$ORIGIN/../tensorflow',
    ]);
    const descriptor = openSync(draft, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
    await check(draft);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return { file, built: true };
}

function compilerFlags(addon: NativeAddon): string[] {
  return ['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NODE_API_VERSION}`, ...addon.flags];
}

function nodeApiHeaders(): string {
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}
