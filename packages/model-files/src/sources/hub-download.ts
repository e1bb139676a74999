import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { HubFile } from './hub-files.js';

/** Attempts in a row that bring nothing new before the download is given up. */
const MAX_IDLE_ATTEMPTS = 3;

/**
 * Downloads one file. What an earlier attempt has left is gone on with; a cut connection is taken up again.
 * @param open Gives the file's content from the network.
 * @param target Where it goes once its size and hash are right; until then beside it as `<target>.incomplete`.
 * @throws If the connection is cut several times without a byte in between; what has come is kept.
 * @throws If the size is not the listed one, or the content does not hash to the listed value; it is deleted.
 */
export async function downloadHubFile(
  file: HubFile,
  open: () => Promise<Blob>,
  target: string,
): Promise<void> {
  const partial = `${target}.incomplete`;
  const kept = sizeOf(partial);
  await fetchRest(file, open, partial);
  if (kept > 0 && (await hashOf(partial, file)) !== file.hash.value) {
    // What was kept may be of another program that wrote at the same time: once more, from the start.
    rmSync(partial);
    await fetchRest(file, open, partial);
  }
  const hash = await hashOf(partial, file);
  if (hash !== file.hash.value) {
    rmSync(partial);
    throw new Error(
      `resolveModel: expected ${file.path} with ${file.hash.kind} hash ${file.hash.value}, got ${hash}: the download was damaged`,
    );
  }
  renameSync(partial, target);
}

async function fetchRest(file: HubFile, open: () => Promise<Blob>, partial: string): Promise<void> {
  if (sizeOf(partial) > file.sizeBytes) rmSync(partial);
  let idle = 0;
  while (sizeOf(partial) < file.sizeBytes || file.sizeBytes === 0) {
    const before = sizeOf(partial);
    try {
      const content = await open();
      if (content.size !== file.sizeBytes) throw new WrongSize(file, content.size);
      const stream = content.slice(before).stream() as ReadableStream<Uint8Array>;
      await pipeline(
        Readable.fromWeb(stream),
        (pieces: AsyncIterable<Uint8Array>) => atMost(pieces, file.sizeBytes - before, file),
        createWriteStream(partial, { flags: 'a' }),
      );
      if (file.sizeBytes === 0) return;
    } catch (error) {
      if (error instanceof WrongSize) {
        rmSync(partial, { force: true });
        throw error;
      }
      idle = sizeOf(partial) > before ? 0 : idle + 1;
      if (idle === MAX_IDLE_ATTEMPTS) throw interrupted(file, partial, error);
      continue;
    }
    if (sizeOf(partial) === before) throw interrupted(file, partial, new Error('an empty answer'));
  }
}

class WrongSize extends Error {
  constructor(file: HubFile, sizeBytes: number | string) {
    super(`resolveModel: expected ${file.sizeBytes} bytes of ${file.path}, got ${sizeBytes}`);
  }
}

async function* atMost(
  pieces: AsyncIterable<Uint8Array>,
  bytes: number,
  file: HubFile,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of pieces) {
    left -= piece.byteLength;
    if (left < 0) throw new WrongSize(file, 'more');
    yield piece;
  }
}

function interrupted(file: HubFile, partial: string, error: unknown): Error {
  const { message, cause } = error as Error;
  const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return new Error(
    `resolveModel: expected ${file.sizeBytes} bytes of ${file.path}, got ${sizeOf(partial)} before the connection failed (${reason}); another call goes on from there`,
    { cause: error },
  );
}

async function hashOf(path: string, { hash, sizeBytes }: HubFile): Promise<string> {
  const sum = createHash(hash.kind === 'sha256' ? 'sha256' : 'sha1');
  if (hash.kind === 'git-blob') sum.update(`blob ${sizeBytes}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), sum);
  return sum.digest('hex');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
