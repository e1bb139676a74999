import { instructionSets } from './processor.js';

interface Platform {
  readonly system: string;
  readonly architecture: string;
  /** Version of the GNU C library, null on systems with another one. */
  readonly glibc: string | null;
  readonly instructionSets: readonly string[];
}

/** What the running process says about its machine. */
export function currentPlatform(): Platform {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return {
    system: process.platform,
    architecture: process.arch,
    glibc: report?.header?.glibcVersionRuntime ?? null,
    instructionSets: instructionSets(),
  };
}

/** Why the native engine cannot run on a machine, as the end of a sentence; null where it can. */
export function unsupportedReason(platform: Platform = currentPlatform()): string | null {
  if (platform.system !== 'linux' || platform.architecture !== 'x64')
    return `the native engine is built for Linux on x86-64, and this is ${platform.system} on ${platform.architecture}`;
  if (platform.glibc === null)
    return 'the native engine needs the GNU C library, and this system has another';
  const [major = 0, minor = 0] = platform.glibc.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 17))
    return `the native engine needs the GNU C library 2.17 or newer, and this system has ${platform.glibc}`;
  if (!platform.instructionSets.includes('avx'))
    return 'TensorFlow needs a processor with AVX, and this one has none';
  return null;
}
