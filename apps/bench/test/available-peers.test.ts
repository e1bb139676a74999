import { describe, expect, it } from 'vitest';
import { availablePeers, type Installers } from '../src/available-peers.js';
import type { CaseGroup } from '../src/suites/suite.js';

const group: CaseGroup = {
  suite: 'decode',
  shape: 'demo',
  peers: ['latent-sft', 'int8', 'transformers', 'llama.cpp'],
  params: { folder: 'work' },
  needs: 'transformers',
  cases: [],
};
const refuse = (sentence: string) => () => Promise.reject(new Error(sentence));
const install: Installers = {
  python: (needs) => Promise.resolve(`python for ${needs}`),
  llama: (work) => Promise.resolve(`llama for ${work}`),
};

describe('availablePeers', () => {
  it('gives the programs that peers run in', async () => {
    expect(await availablePeers(group, group.peers, install)).toEqual({
      peers: group.peers,
      skipped: [],
      programs: { python: 'python for transformers', llama: 'llama for work' },
    });
  });

  it('leaves out what cannot be installed, and says why', async () => {
    const none = { python: refuse('no\npython3'), llama: refuse('no network') };
    expect(await availablePeers(group, group.peers, none)).toEqual({
      peers: ['latent-sft', 'int8'],
      skipped: [
        { peer: 'transformers', reason: 'not run: no python3' },
        { peer: 'llama.cpp', reason: 'not run: no network' },
      ],
      programs: { python: '', llama: '' },
    });
  });

  it('installs nothing for our own processes', async () => {
    const none = { python: refuse('asked'), llama: refuse('asked') };
    const ours = await availablePeers(group, ['latent-sft', 'int8'], none);
    expect(ours).toMatchObject({ peers: ['latent-sft', 'int8'], skipped: [] });
  });
});
