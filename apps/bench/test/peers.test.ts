import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OURS, peerCommand } from '../src/peer-commands.js';
import { runGroup } from '../src/run-group.js';
import { shapeOf } from '../src/shapes/shape.js';
import { decodingSuite, plainDecodingSuite } from '../src/suites/decoding-suite.js';
import { kernelSuite } from '../src/suites/kernel-suite.js';
import { labelsSuite } from '../src/suites/labels-suite.js';
import type { CaseGroup, PeerName } from '../src/suites/suite.js';
import { trainingSuite } from '../src/suites/training-suites.js';
import { kernelInputs } from '../src/workload/kernel-inputs.js';
import { addGguf, makeWork } from '../src/workload/make-work.js';
import { readWork } from '../src/workload/work-file.js';

// Runs only where LATENT_SFT_PYTHON names a Python with torch, safetensors and transformers.
const python = process.env.LATENT_SFT_PYTHON;
const TIMEOUT_MS = 600_000;
const cache = mkdtempSync(join(tmpdir(), 'bench-'));
// runs with llama.cpp only where LATENT_SFT_LLAMA names a folder with its package
const llama = process.env.LATENT_SFT_LLAMA ?? '';
afterAll(() => rmSync(cache, { recursive: true }));

/** Our own worker, from its source. */
function command(peer: PeerName) {
  const known = peerCommand(peer, { python: python!, llama }, 1);
  if (!OURS.includes(peer)) return known;
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const words = [
    '-C',
    '@latent-sft/source',
    '--import',
    path('../../cli/test/from-source.mjs'),
    path('../src/worker.ts'),
  ];
  return { ...known, words, environment: { ...known.environment, FROM_SOURCE_CACHE: cache } };
}

const disagreements = async (groups: readonly CaseGroup[]) => {
  const settings = {
    warmUp: { rounds: 0, seconds: 0 },
    measured: { rounds: 1, seconds: 0 },
    threads: 1,
    backend: 'auto',
    command,
  };
  const found: string[] = [];
  for (const group of groups) {
    for (const { name, peers, skipped } of await runGroup(group, settings)) {
      for (const { peer, reason } of skipped ?? []) found.push(`${name}: ${peer} ${reason}`);
      for (const { peer, agreement } of peers) {
        if (agreement && !agreement.agrees) found.push(`${name}: ${peer} ${agreement.relativeDifference}`);
      }
    }
  }
  return found;
};

describe.skipIf(!python)('peers in Python', () => {
  const shape = shapeOf('demo', { layers: 1, batch: 3 });
  let folder = '';
  beforeAll(async () => {
    const decoding = { batch: 3, latents: 2, tokens: 3 };
    folder = await makeWork({ shape, weights: 'random', seed: 1, decoding, cache });
  });

  it('have the losses that we have, over three steps of every phase', { timeout: TIMEOUT_MS }, async () => {
    const work = readWork(folder);
    const groups = (['stage1', 'stage2'] as const).flatMap((suite) =>
      trainingSuite(suite, 'demo', folder, work),
    );
    expect(groups).toHaveLength(4);
    expect(await disagreements(groups)).toEqual([]);
  });

  it('say the words that we say', { timeout: TIMEOUT_MS }, async () => {
    expect(await disagreements(decodingSuite('demo', folder, readWork(folder), [3]))).toEqual([]);
  });

  it.skipIf(!llama)('say the words that we say, in llama.cpp too', { timeout: TIMEOUT_MS }, async () => {
    addGguf(folder);
    expect(await disagreements(plainDecodingSuite('demo', folder, readWork(folder), [1, 3]))).toEqual([]);
  });

  it('make the labels that we make', { timeout: TIMEOUT_MS }, async () => {
    expect(await disagreements(labelsSuite('demo', folder, readWork(folder)))).toEqual([]);
  });

  it('compute what our kernels do, fused and composed', { timeout: TIMEOUT_MS }, async () => {
    expect(await disagreements(kernelSuite(shape, (size) => kernelInputs(size, 1, cache)))).toEqual([]);
  });
});
