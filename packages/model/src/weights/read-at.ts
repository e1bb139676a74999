import { readSync } from 'node:fs';

// One read call may take at most 2 GiB.
const PIECE_BYTES = 1 << 26;

/**
 * Fills a buffer from a place in an open file.
 * @throws If the file ends first.
 */
export function readAt(descriptor: number, target: Uint8Array, position: number): void {
  let filled = 0;
  while (filled < target.byteLength) {
    const wanted = Math.min(PIECE_BYTES, target.byteLength - filled);
    const got = readSync(descriptor, target, filled, wanted, position + filled);
    if (got === 0) {
      throw new Error(
        `readAt: expected ${target.byteLength} bytes at byte ${position}, got the end of the file after ${filled}`,
      );
    }
    filled += got;
  }
}
