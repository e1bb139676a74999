import { describe, expect, it } from 'vitest';
import { decodingSteps, decodingTable } from '../src/index.js';
import { summarise } from '../src/measure/statistics.js';
import type { CaseResult, PeerResult } from '../src/results.js';

const load = { average: [0, 0, 0], freeMemoryBytes: 0 } as const;
const peer = (name: PeerResult['peer'], seconds: number | null): PeerResult => ({
  peer: name,
  versions: {},
  threads: 1,
  agreement: null,
  seconds: seconds === null ? null : summarise([seconds]),
  rounds: [],
  prepareSeconds: null,
  gflops: null,
  gemmShare: null,
  gemmGflops: null,
  peakBytes: null,
  ratio: null,
});
const decoded = (name: string, ours: number, theirs: number | null): CaseResult => ({
  suite: 'decode',
  shape: 'demo',
  name,
  title: name,
  examples: 32,
  tokens: 0,
  flops: null,
  loadBefore: load,
  loadAfter: load,
  peers: [peer('latent-sft', ours), peer('transformers', theirs)],
});
const settings = { latents: 4, tokens: 11 };

describe('decodingSteps', () => {
  it('takes a run without the steps from one with them', () => {
    const cases = [
      decoded('prefill', 0.1, 0.2),
      decoded('latents', 0.3, 0.6),
      decoded('tokens', 0.6, 1.2),
      decoded('question', 0.8, 1.6),
    ];
    const [ours, theirs] = decodingSteps({ cases, settings });
    expect(ours).toMatchObject({ shape: 'demo', batch: 32, peer: 'latent-sft' });
    expect(ours!.msPrefill).toBeCloseTo(100);
    expect(ours!.msPerLatent).toBeCloseTo(50);
    expect(ours!.msPerToken).toBeCloseTo(50);
    expect(theirs!.msPerLatent).toBeCloseTo(100);
    expect(decodingTable({ cases, settings })).toMatch(
      /^demo +32 +latent-sft +100 ms +50.0 ms +50.0 ms +800 ms$/m,
    );
  });

  it('leaves a peer out that is void in a case, and says nothing of other suites', () => {
    const cases = [
      decoded('prefill', 0.1, null),
      decoded('latents', 0.3, 0.6),
      decoded('tokens', 0.6, 1.2),
      decoded('question', 0.8, 1.6),
    ];
    expect(decodingSteps({ cases, settings }).map((steps) => steps.peer)).toEqual(['latent-sft']);
    expect(decodingTable({ cases: [], settings })).toBe('');
  });
});
