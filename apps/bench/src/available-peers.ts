import { llamaFolder } from './llama-package.js';
import { OURS, PEERS_FOLDER, type PeerPrograms } from './peer-commands.js';
import { type PythonNeeds, pythonFor } from './python/python-environment.js';
import type { CaseGroup, PeerName, Skipped } from './suites/suite.js';
import { addGguf } from './workload/make-work.js';

/** Finds or installs what peers run in, once each; another one in tests. */
export interface Installers {
  python(needs: PythonNeeds): Promise<string>;
  /** A folder with llama.cpp, once the model of a work is written for it too. */
  llama(work: string): Promise<string>;
}

/** Peers of a group whose programs are there. */
export interface AvailablePeers {
  readonly peers: readonly PeerName[];
  readonly skipped: readonly Skipped[];
  readonly programs: PeerPrograms;
}

export function installers(cache: string, onProgress: (sentence: string) => void): Installers {
  const pythons = new Map<PythonNeeds, Promise<string>>();
  let llama: Promise<string> | null = null;
  const existing = process.env.LATENT_SFT_PYTHON;
  return {
    python(needs) {
      // one that failed is not tried again in the same run: that takes minutes
      const found =
        pythons.get(needs) ?? pythonFor(needs, { peers: PEERS_FOLDER, cache, existing, onProgress });
      pythons.set(needs, found);
      return found;
    },
    async llama(work) {
      llama ??= llamaFolder(cache, onProgress);
      const folder = await llama;
      addGguf(work);
      return folder;
    },
  };
}

/** Those of the peers that can be started; one that is not installed, and cannot be, is left out and says why. */
export async function availablePeers(
  { params, needs }: CaseGroup,
  wanted: readonly PeerName[],
  install: Installers,
): Promise<AvailablePeers> {
  const skipped: Skipped[] = [];
  const attempt = async (peers: readonly PeerName[], make: () => Promise<string>) => {
    if (peers.length === 0) return '';
    try {
      return await make();
    } catch (error) {
      const reason = `not run: ${(error as Error).message.replace(/\s+/g, ' ')}`;
      skipped.push(...peers.map((peer) => ({ peer, reason })));
      return '';
    }
  };
  const inPython = wanted.filter((name) => !OURS.includes(name) && name !== 'llama.cpp');
  const python = await attempt(inPython, () => install.python(needs));
  const inNode = wanted.filter((name) => name === 'llama.cpp');
  const llama = await attempt(inNode, () => install.llama(params.folder as string));
  const peers = wanted.filter((name) => !skipped.some(({ peer }) => peer === name));
  return { peers, skipped, programs: { python, llama } };
}
