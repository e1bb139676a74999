import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { float16ToFloat32, readAt } from '@latent-sft/model';
import { checkFile, checkFileSize } from './check-file.js';
import { differences } from './differences.js';
import {
  ALPHAS_FILE,
  BYTES_PER_ALPHA,
  IDS_FILE,
  type LabelHeader,
  type LabelManifest,
  OFFSETS_FILE,
  readLabelManifest,
} from './label-manifest.js';
import type { ExampleLabels } from './label-writer.js';

/**
 * Opens a finished store of soft labels for random access; nothing is kept in memory.
 * @param expected The header fields that the reader depends on.
 * @param check `'hashes'` (default) reads every file once; `'sizes'` only looks at their lengths.
 * @throws If the store is missing, unfinished, cut short or changed.
 * @throws If its header has other values than expected, such as another r, k or tokenizer.
 */
export function openLabelStore(
  folder: string,
  expected: Partial<LabelHeader>,
  check: 'hashes' | 'sizes' = 'hashes',
): LabelStore {
  const manifest = readLabelManifest('openLabelStore', folder);
  const { header, files, examples } = manifest;
  checkLabelHeader('openLabelStore', folder, header, expected);
  if (!manifest.finished) {
    throw new Error(
      `openLabelStore: expected labels of ${header.count} examples in ${folder}, got only ${examples}`,
    );
  }
  const checkOne = check === 'hashes' ? checkFile : checkFileSize;
  for (const [name, digest] of Object.entries(files)) {
    if (digest) checkOne('openLabelStore', join(folder, name), digest);
  }
  return new LabelStore(folder, manifest);
}

/**
 * Checks what labels were made with.
 * @param reader The function that reads them, for messages.
 * @throws If a field has another value than expected, such as another r, k or tokenizer.
 */
export function checkLabelHeader(
  reader: string,
  folder: string,
  header: LabelHeader,
  expected: Partial<LabelHeader>,
): void {
  for (const [field, value] of Object.entries(expected)) {
    const found = header[field as keyof LabelHeader];
    if (differences(value, found).length === 0) continue;
    const name = field === 'segmentation' ? 'segmentation (the rate r)' : field;
    throw new Error(`${reader}: expected labels with ${name} ${value} in ${folder}, got ${found}`);
  }
}

/** Soft labels on disk, by example number. */
export class LabelStore {
  readonly header: LabelHeader;
  /** Latents of all examples. */
  readonly latents: number;
  readonly #alphas: number;
  readonly #ids: number | undefined;
  readonly #offsets: number;

  /** Use `openLabelStore`, which checks first. */
  constructor(folder: string, manifest: LabelManifest) {
    this.header = manifest.header;
    this.latents = manifest.latents;
    this.#alphas = openSync(join(folder, ALPHAS_FILE), 'r');
    this.#ids = manifest.files[IDS_FILE] ? openSync(join(folder, IDS_FILE), 'r') : undefined;
    this.#offsets = openSync(join(folder, OFFSETS_FILE), 'r');
  }

  /**
   * Reads one example.
   * @returns Probabilities `[N, k]` and ids `[N, k]` (none with the full vocabulary).
   * @throws If there is no such example.
   */
  read(example: number): ExampleLabels {
    const { count, k, precision } = this.header;
    if (!Number.isInteger(example) || example < 0 || example >= count) {
      throw new Error(`LabelStore.read: expected an example from 0 to ${count - 1}, got ${example}`);
    }
    const [begin, end] = readInto(this.#offsets, new Uint32Array(2), 4 * example) as unknown as [
      number,
      number,
    ];
    const values = (end - begin) * k;
    const at = begin * k;
    const alphasAt = at * BYTES_PER_ALPHA[precision];
    const alphas =
      precision === 'float16'
        ? float16ToFloat32(readInto(this.#alphas, new Uint16Array(values), alphasAt))
        : readInto(this.#alphas, new Float32Array(values), alphasAt);
    if (this.#ids === undefined) return { alphas };
    return { alphas, ids: readInto(this.#ids, new Uint32Array(values), 4 * at) };
  }

  close(): void {
    closeSync(this.#alphas);
    if (this.#ids !== undefined) closeSync(this.#ids);
    closeSync(this.#offsets);
  }
}

function readInto<T extends Float32Array | Uint32Array | Uint16Array>(
  descriptor: number,
  target: T,
  at: number,
): T {
  readAt(descriptor, new Uint8Array(target.buffer, target.byteOffset, target.byteLength), at);
  return target;
}
