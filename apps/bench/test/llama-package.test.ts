import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { llamaFolder } from '../src/llama-package.js';

const cache = mkdtempSync(join(tmpdir(), 'llama-'));
afterAll(() => rmSync(cache, { recursive: true }));

describe('llamaFolder', () => {
  it('installs once, again after a failure', async () => {
    const asked: (readonly string[])[] = [];
    const failing = () => Promise.reject(new Error('no network'));
    await expect(llamaFolder(cache, undefined, failing)).rejects.toThrow('no network');
    const install = async (_: string, packages: readonly string[]) => {
      asked.push(packages);
    };
    const folder = await llamaFolder(cache, undefined, install);
    expect(await llamaFolder(cache, undefined, install)).toBe(folder);
    expect(asked).toHaveLength(1);
    expect(asked[0]![0]).toMatch(/^node-llama-cpp@/);
  });
});
