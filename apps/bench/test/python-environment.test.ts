import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pythonFor } from '../src/python/python-environment.js';

const folder = mkdtempSync(join(tmpdir(), 'bench-python-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('pythonFor', () => {
  it('refuses an existing Python that lacks what peers import, or is not there', async () => {
    const settings = { peers: folder, cache: folder };
    await expect(pythonFor('torch', { ...settings, existing: 'false' })).rejects.toThrow(
      'expected torch, safetensors in LATENT_SFT_PYTHON=false, got code 1',
    );
    await expect(pythonFor('transformers', { ...settings, existing: '/no/python' })).rejects.toThrow(
      /expected torch, safetensors, transformers in LATENT_SFT_PYTHON=\/no\/python, got spawn .* ENOENT/,
    );
  });

  // Makes an environment, of no package, and so only where a Python is meant to be used.
  it.skipIf(!process.env.LATENT_SFT_PYTHON)(
    'makes an environment once, and makes a broken one anew',
    async () => {
      const peers = mkdtempSync(join(folder, 'peers-'));
      writeFileSync(join(peers, 'requirements.txt'), '');
      const said: string[] = [];
      const settings = {
        peers,
        cache: join(folder, 'cache'),
        onProgress: (sentence: string) => said.push(sentence),
      };
      const program = await pythonFor('torch', settings);
      expect(await pythonFor('torch', settings)).toBe(program);
      expect(said).toHaveLength(1);
      rmSync(join(program, '..', '..', 'ready'));
      expect(await pythonFor('torch', settings)).toBe(program);
      expect(said).toHaveLength(2);
      writeFileSync(join(peers, 'requirements.txt'), 'not a requirement!');
      await expect(pythonFor('torch', settings)).rejects.toThrow(
        /expected .*python -m pip install to work, got/,
      );
    },
  );
});
