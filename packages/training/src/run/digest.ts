import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

const PIECE_BYTES = 1 << 22;

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits');
export const fileDigestSchema = z.strictObject({ sizeBytes: z.int().min(0), sha256: sha256Schema });

/** What a file held when it was written. */
export type FileDigest = z.infer<typeof fileDigestSchema>;

/** The lower-case hex SHA-256 of bytes or of UTF-8 text. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The SHA-256 of a JSON value, whatever the order of its keys. */
export function sha256OfJson(value: unknown): string {
  return sha256(canonicalJson(value));
}

/**
 * JSON with sorted keys and no spaces: equal values give equal text.
 * @throws If a number is NaN or infinite, which JSON would silently turn into null.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new Error(`canonicalJson: expected finite numbers, got ${key || 'the value'} = ${part}`);
    }
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** Size and SHA-256 of a file, read in pieces. */
export function digestFile(file: string): FileDigest {
  const descriptor = openSync(file, 'r');
  try {
    const hash = createHash('sha256');
    const piece = new Uint8Array(PIECE_BYTES);
    let sizeBytes = 0;
    for (;;) {
      const got = readSync(descriptor, piece, 0, PIECE_BYTES, sizeBytes);
      if (got === 0) return { sizeBytes, sha256: hash.digest('hex') };
      hash.update(piece.subarray(0, got));
      sizeBytes += got;
    }
  } finally {
    closeSync(descriptor);
  }
}
