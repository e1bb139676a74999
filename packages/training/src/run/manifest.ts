import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkFile } from './check-file.js';
import { digestFile, fileDigestSchema, sha256Schema } from './digest.js';
import { readSealedJson, writeSealedJson } from './sealed-json.js';

export const MANIFEST_FILE = 'manifest.json';

const manifestSchema = z.strictObject({
  version: z.literal(1),
  stage: z.string(),
  step: z.int().min(0),
  finished: z.boolean(),
  settings: sha256Schema,
  madeFrom: z.record(z.string(), sha256Schema),
  files: z.record(z.string().regex(/^[^/\\]+$/), fileDigestSchema),
});

/** What a stage's folder holds, and the SHA-256 of everything that it was made from. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Hashes every file of a stage's folder and writes `manifest.json` beside them.
 * @throws If the disk is full.
 */
export function writeManifest(folder: string, about: Omit<Manifest, 'version' | 'files'>): Manifest {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== MANIFEST_FILE && !entry.name.endsWith('.partial'))
    .map((entry) => entry.name);
  const files = Object.fromEntries(names.map((name) => [name, digestFile(join(folder, name))]));
  const manifest: Manifest = { version: 1, ...about, files };
  writeSealedJson(join(folder, MANIFEST_FILE), manifest);
  return manifest;
}

/**
 * Reads a manifest without looking at the files that it lists.
 * @throws If it is missing, malformed or changed.
 */
export function readManifest(folder: string): Manifest {
  return readSealedJson('readManifest', join(folder, MANIFEST_FILE), manifestSchema);
}

/**
 * Reads a manifest and checks every file that it lists.
 * @throws If the manifest is missing, malformed or changed.
 * @throws If a file is missing, cut short, or changed by a single bit.
 */
export function verifyManifest(folder: string): Manifest {
  const manifest = readManifest(folder);
  for (const [name, digest] of Object.entries(manifest.files)) {
    checkFile('verifyManifest', join(folder, name), digest);
  }
  return manifest;
}
