import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { readAt, writeAll, writeError } from '@latent-sft/model';
import type { FileDigest } from './digest.js';

const PIECE_BYTES = 1 << 22;

/** A file that only grows, and whose SHA-256 so far is known at every moment. */
export class HashedFile {
  readonly #descriptor: number;
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  /**
   * @param file Opened, or created.
   * @param committed What of it counts; bytes beyond, which a killed writer left, are cut off.
   * @throws If the file is shorter than that, or its content was changed.
   */
  constructor(
    readonly file: string,
    committed: FileDigest | undefined,
  ) {
    this.#descriptor = openSync(file, 'a+');
    try {
      if (committed) this.#hashAgain(committed);
      ftruncateSync(this.#descriptor, this.#sizeBytes);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @throws If the disk is full. */
  append(bytes: Uint8Array): void {
    try {
      writeAll(this.#descriptor, bytes);
    } catch (error) {
      throw writeError('HashedFile.append', this.file, bytes.byteLength, error);
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.byteLength;
  }

  /** Makes what was appended durable. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  digest(): FileDigest {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.copy().digest('hex') };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #hashAgain(committed: FileDigest): void {
    const found = fstatSync(this.#descriptor).size;
    if (found < committed.sizeBytes) {
      const expected = `at least ${committed.sizeBytes} bytes in ${this.file}`;
      throw new Error(`HashedFile: expected ${expected}, got ${found}: it was cut short`);
    }
    while (this.#sizeBytes < committed.sizeBytes) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, committed.sizeBytes - this.#sizeBytes));
      readAt(this.#descriptor, piece, this.#sizeBytes);
      this.#hash.update(piece);
      this.#sizeBytes += piece.byteLength;
    }
    const { sha256 } = this.digest();
    if (sha256 !== committed.sha256) {
      const expected = `sha256 ${committed.sha256} of ${this.file}`;
      throw new Error(`HashedFile: expected ${expected}, got ${sha256}: its content was changed`);
    }
  }
}
