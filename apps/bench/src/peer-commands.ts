import { fileURLToPath } from 'node:url';
import type { PeerCommand } from './process/peer-process.js';
import type { PeerName } from './suites/suite.js';

/** Folder of the peers' programs. */
export const PEERS_FOLDER = fileURLToPath(new URL('../peers', import.meta.url));

const PROGRAMS: Readonly<Partial<Record<PeerName, string>>> = {
  official: 'official.py',
  best: 'best.py',
  transformers: 'transformers_decode.py',
  torch: 'torch_kernels.py',
};

/** Peers that run our own code. */
export const OURS: readonly PeerName[] = ['latent-sft', 'bfloat16', 'int8', 'composition'];

/** Where peers find what they import: a Python, and a folder with llama.cpp's package; empty where no peer needs it. */
export interface PeerPrograms {
  readonly python: string;
  readonly llama: string;
}

/** How each peer is started: ours and llama.cpp by this Node, the others by a Python that has what they import. */
export function peerCommand(name: PeerName, { python, llama }: PeerPrograms, threads: number): PeerCommand {
  // each library reads its own
  const environment = { OMP_NUM_THREADS: `${threads}`, MKL_NUM_THREADS: `${threads}` };
  if (OURS.includes(name)) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = fileURLToPath(new URL(`./worker.${extension}`, import.meta.url));
    return {
      program: process.execPath,
      words: [...process.execArgv, worker],
      environment: name === 'composition' ? { ...environment, LATENT_SFT_FUSED: '0' } : environment,
    };
  }
  if (name === 'llama.cpp') {
    return {
      program: process.execPath,
      words: [fileURLToPath(new URL('../peers/llama_decode.mjs', import.meta.url))],
      environment: { ...environment, LLAMA_PACKAGES: llama },
    };
  }
  return {
    program: python,
    words: [fileURLToPath(new URL(`../peers/${PROGRAMS[name]}`, import.meta.url))],
    // on the processor, whatever else there is; no compiled files beside the package's own
    environment: { ...environment, CUDA_VISIBLE_DEVICES: '', PYTHONDONTWRITEBYTECODE: '1' },
  };
}
