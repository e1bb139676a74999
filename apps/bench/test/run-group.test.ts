import { describe, expect, it } from 'vitest';
import { caseTable } from '../src/report/table.js';
import { runGroup } from '../src/run-group.js';
import type { CaseGroup, PeerName } from '../src/suites/suite.js';
import { fakePeer } from './fake-peer.js';

const group: CaseGroup = {
  suite: 'stage1',
  shape: 'demo',
  peers: ['latent-sft', 'official', 'best'],
  params: {},
  needs: 'torch',
  cases: [{ name: 'union', title: 'union step', examples: 4, tokens: 100, tolerance: 1e-4, flops: null }],
};
const losses: Partial<Record<PeerName, number>> = { 'latent-sft': 3, official: 3.0001, best: 3.1 };
const settings = {
  warmUp: { rounds: 1, seconds: 0 },
  measured: { rounds: 2, seconds: 0 },
  threads: 1,
  backend: 'auto',
};

describe('runGroup', () => {
  it('times peers in turns, and one that computes something else not at all', async () => {
    const [result] = await runGroup(group, { ...settings, command: (peer) => fakePeer(losses[peer]!) });
    const [ours, official, best] = result!.peers;
    expect(ours).toMatchObject({ agreement: null, ratio: null, rounds: [0.002, 0.003], peakBytes: 1000 });
    expect(ours!.gflops).toBeCloseTo(1e6 / 0.0025 / 1e9, 9);
    // of 10 GFLOP/s: 5 % in the first round, 3.33 % in the second
    expect(ours!.gemmShare).toBeCloseTo(1 / 24, 9);
    expect(ours!.gemmGflops).toMatchObject({ count: 2, median: 10 });
    expect(official).toMatchObject({ agreement: { agrees: true }, rounds: [0.002, 0.003] });
    expect(official!.ratio).toMatchObject({ count: 2, median: 1 });
    expect(best).toMatchObject({ agreement: { agrees: false }, seconds: null, rounds: [], ratio: null });
  });

  it('times a peer that need not be equal, and states how much of it is', async () => {
    const command = (peer: PeerName) => fakePeer(losses[peer]!);
    const [result] = await runGroup({ ...group, near: ['best'] }, { ...settings, command });
    expect(result!.peers[2]).toMatchObject({
      agreement: { agrees: true, equalShare: 0 },
      rounds: [0.002, 0.003],
    });
    expect(caseTable(result!)).toMatch(/^best .* 1\.00x +0\.0 % /m);
  });

  it('says in the table that a comparison is void, and why', async () => {
    const [result] = await runGroup(group, { ...settings, command: (peer) => fakePeer(losses[peer]!) });
    const table = caseTable(result!);
    expect(table).toMatch(
      /^stage1 · demo · union step, 4 examples of 100 tokens together, 1.00 MFLOP of needed/,
    );
    expect(table).toMatch(
      /^latent-sft +2\.50 ms +2\.00 ms to 3\.00 ms +1,600 +40,000 +0\.4 +4 % +1\.00 kB$/m,
    );
    expect(table).toMatch(/^official .* 1\.00x +1\.00 to 1\.00$/m);
    expect(table).toMatch(/^best +void /m);
    expect(table).toContain(
      'VOID: best computed 3.1 where we have 3 (relative difference 3.3e-2, allowed 0.0001); it was not timed',
    );
  });

  it('goes on without a peer that fails, and says why', async () => {
    const command = (peer: PeerName) => fakePeer(3, peer === 'best' ? 'exit' : undefined);
    const [result, next] = await runGroup(
      { ...group, cases: [...group.cases, ...group.cases] },
      { ...settings, command },
    );
    const skipped = [
      { peer: 'best', reason: 'failed: peer best ended with code 3; it said: something broke' },
    ];
    for (const one of [result, next]) {
      expect(one!.peers.map(({ peer }) => peer)).toEqual(['latent-sft', 'official']);
      expect(one!.peers[1]!.ratio).toMatchObject({ count: 2 });
      expect(one!.skipped).toEqual(skipped);
    }
    expect(caseTable(result!)).toContain('best: failed: peer best ended with code 3');
  });

  it('fails with what our own process said', async () => {
    const command = (peer: PeerName) => fakePeer(3, peer === 'latent-sft' ? 'error' : undefined);
    await expect(runGroup(group, { ...settings, command })).rejects.toThrow(
      'peer latent-sft: no memory left',
    );
  });
});
