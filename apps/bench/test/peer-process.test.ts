import { afterEach, describe, expect, it } from 'vitest';
import { checkedSchema, ranSchema } from '../src/process/messages.js';
import { type PeerCommand, PeerProcess } from '../src/process/peer-process.js';
import { fakePeer } from './fake-peer.js';

const started: PeerProcess[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((peer) => peer.close()));
});

function start(command: PeerCommand, timeoutMs?: number): PeerProcess {
  const peer = new PeerProcess('fake', command, timeoutMs);
  started.push(peer);
  return peer;
}

describe('PeerProcess', () => {
  it('asks and hears, one after another', async () => {
    const peer = start(fakePeer(3.5));
    expect(await peer.ask('check', checkedSchema)).toEqual({ values: [3.5] });
    expect(await peer.ask('run', ranSchema)).toMatchObject({ seconds: 0.001 });
    expect(await peer.ask('run', ranSchema)).toMatchObject({ seconds: 0.002 });
  });

  it.each([
    ['error', 'peer fake: no memory left'],
    ['exit', 'peer fake ended with code 3; it said: something broke'],
    ['noise', 'peer fake wrote a line that is no answer: loading weights...'],
    ['form', 'expected an answer of peer fake to run in form, got'],
  ] as const)('reports a peer with fault %s', async (fault, sentence) => {
    await expect(start(fakePeer(1, fault)).ask('run', ranSchema)).rejects.toThrow(sentence);
  });

  it('gives up on a peer that keeps silent', async () => {
    const peer = start(fakePeer(1, 'silence'), 300);
    await expect(peer.ask('run', ranSchema)).rejects.toThrow('gave no answer to run in 0.3 s');
    await expect(peer.ask('check', checkedSchema)).rejects.toThrow('gave no answer to run');
  });

  it('reports a program that is not there', async () => {
    const peer = start({ program: '/no/such/python', words: [] });
    await expect(peer.ask('open', checkedSchema)).rejects.toThrow(/peer fake .*ENOENT/);
  });
});
