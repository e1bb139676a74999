import { fileURLToPath } from 'node:url';
import type { PeerCommand } from '../src/process/peer-process.js';

export function fakePeer(loss: number, fault?: 'error' | 'exit' | 'noise' | 'form' | 'silence'): PeerCommand {
  const script = fileURLToPath(new URL('fake-peer.mjs', import.meta.url));
  return { program: process.execPath, words: [script, `${loss}`, ...(fault ? [fault] : [])] };
}
