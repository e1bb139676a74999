import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A recipe that trains all stages in about a second. */
export const TINY_RECIPE = `
name: tiny
data: { source: modular-arithmetic, operations: 2, train: 200, validation: 20, test: 20 }
model: { width: 16, layers: 1, heads: 2, feedForwardWidth: 32, initialDeviation: 0.16 }
latent: { maxLatents: 6 }
stages:
  no-cot: { steps: 4, batch: 8, validateEvery: 2, checkpointEvery: 2 }
  cot: { steps: 8, batch: 8, validateEvery: 2, checkpointEvery: 2 }
  union: { steps: 8, batch: 8, validateEvery: 2, checkpointEvery: 2 }
  student: { steps: 8, batch: 8, validateEvery: 2, checkpointEvery: 2 }
evaluation: { validationItems: 8, maxTokens: 12 }
`;

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'latent-sft-'));
}

/** Writes a file of the folder and gives its path. */
export function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** sha256 of the trained student's weights. */
export function studentDigest(run: string): string {
  const bytes = readFileSync(join(run, 'stages', 'student', 'model.safetensors'));
  return createHash('sha256').update(bytes).digest('hex');
}
