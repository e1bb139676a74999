import { join } from 'node:path';
import { z } from 'zod';
import { fileDigestSchema, sha256Schema } from './digest.js';
import { readSealedJson, writeSealedJson } from './sealed-json.js';

export const ALPHAS_FILE = 'alphas.bin';
export const IDS_FILE = 'ids.bin';
export const OFFSETS_FILE = 'offsets.bin';
export const LABELS_FILE = 'labels.json';

/** Bytes of one probability on disk. */
export const BYTES_PER_ALPHA = { float16: 2, float32: 4 } as const;

export const labelHeaderSchema = z.strictObject({
  /** Examples in the whole store. */
  count: z.int().min(0),
  /** The rate r, or by what the chain was cut. */
  segmentation: z.union([z.int().min(1), z.enum(['line', 'step', 'equation', 'sentence'])]),
  /** Probabilities kept of each latent; all of them if it equals the vocabulary size. */
  k: z.int().min(1),
  vocabularySize: z.int().min(1).max(0xffffffff),
  temperature: z.number().positive(),
  /** The table that the mixture reads from. */
  readout: z.string().min(1),
  tokenizer: sha256Schema,
  checkpoint: sha256Schema,
  /** Labels are read from the encoder without noise. */
  noise: z.literal('none'),
  precision: z.enum(['float16', 'float32']),
});

/** What the soft labels of a store were made with. */
export type LabelHeader = z.infer<typeof labelHeaderSchema>;

export const labelManifestSchema = z.strictObject({
  version: z.literal(1),
  finished: z.boolean(),
  header: labelHeaderSchema,
  /** Examples and latents written so far. */
  examples: z.int().min(0),
  latents: z.int().min(0),
  files: z.strictObject({
    [ALPHAS_FILE]: fileDigestSchema,
    [IDS_FILE]: fileDigestSchema.optional(),
    [OFFSETS_FILE]: fileDigestSchema,
  }),
});
export type LabelManifest = z.infer<typeof labelManifestSchema>;

/** @throws If the manifest is missing, malformed or changed. */
export function readLabelManifest(reader: string, folder: string): LabelManifest {
  return readSealedJson(reader, join(folder, LABELS_FILE), labelManifestSchema);
}

/** @throws If the disk is full. */
export function writeLabelManifest(folder: string, manifest: LabelManifest): void {
  writeSealedJson(join(folder, LABELS_FILE), manifest);
}
