import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildFused } from '../src/fused/build-fused.js';
import { cacheFolder, installedEngine } from '../src/index.js';

const engine = installedEngine(cacheFolder());
const script = fileURLToPath(new URL('fused-digest.mjs', import.meta.url));

/** Digest of what every fused operation computes in a process with so many threads. */
function digest(addon: string, threads: number, instructionSet: string): string {
  return execFileSync(process.execPath, [script, engine!.addons[0]!, addon], {
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      TF_CPP_MIN_LOG_LEVEL: '3',
      TF_NUM_INTRAOP_THREADS: String(threads),
      LATENT_SFT_FUSED: instructionSet,
    },
  }).trim();
}

// nine processes, each of several seconds where others keep the machine busy
const TIMEOUT_MS = 300_000;

describe.skipIf(engine === null)('fused operations', () => {
  it('give the same bits on 1, 2 and 5 threads, with each instruction set', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const addon = await buildFused(engine!);
    for (const instructionSet of ['portable', 'avx2', 'avx512']) {
      const one = digest(addon, 1, instructionSet);
      expect(one).toMatch(/^[0-9a-f]{64}$/);
      expect(digest(addon, 2, instructionSet), instructionSet).toBe(one);
      expect(digest(addon, 5, instructionSet), instructionSet).toBe(one);
    }
  });
});
