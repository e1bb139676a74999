import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

// One write call may take at most 2 GiB; smaller pieces cost nothing.
const PIECE_BYTES = 1 << 26;

/**
 * Replaces a file as a whole: a reader sees the old bytes or the new ones, even after a crash.
 * The bytes go to `<file>.partial` first (one writer at a time), so what a killed writer left is overwritten.
 * @param file The file to write; its folder must exist.
 * @param pieces The content, in order.
 * @throws If the disk is full; the old file stays as it was and nothing of the new one remains.
 * @throws If the folder cannot be written.
 */
export function writeFileAtomically(file: string, pieces: readonly Uint8Array[]): void {
  const partial = `${file}.partial`;
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  try {
    const descriptor = openSync(partial, 'w');
    try {
      for (const piece of pieces) writeAll(descriptor, piece);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(partial, { force: true });
    throw writeError('writeFileAtomically', file, sizeBytes, error);
  }
}

/** Writes every byte at the descriptor's current place (one call may write fewer than asked). */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.byteLength) {
    written += writeSync(descriptor, bytes, written, Math.min(PIECE_BYTES, bytes.byteLength - written));
  }
}

/** Makes renames and new files in a folder durable; Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The error of a failed write in one sentence: a full disk is told from a folder that cannot be written. */
export function writeError(functionName: string, file: string, sizeBytes: number, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const folder = dirname(file);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Error(
      `${functionName}: expected ${sizeBytes} bytes of free space in ${folder}, got a full disk (${code})`,
      { cause },
    );
  }
  return new Error(
    `${functionName}: expected to write ${sizeBytes} bytes to ${file}, got ${code ?? message}`,
    { cause },
  );
}
