import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { float32ToFloat16 } from '@latent-sft/model';
import { differences } from './differences.js';
import { HashedFile } from './hashed-file.js';
import {
  ALPHAS_FILE,
  IDS_FILE,
  LABELS_FILE,
  type LabelHeader,
  type LabelManifest,
  labelHeaderSchema,
  OFFSETS_FILE,
  readLabelManifest,
  writeLabelManifest,
} from './label-manifest.js';

type LabelFile = keyof LabelManifest['files'];

const MAX_LATENTS = 0xffffffff; // offsets are u32

/** The soft labels of one example. */
export interface ExampleLabels {
  /** Probabilities, `[N, k]`. */
  readonly alphas: Float32Array;
  /** Their token ids, `[N, k]`; absent if k is the vocabulary size. */
  readonly ids?: Uint32Array;
}

/**
 * Writes a store of soft labels in chunks; one that was stopped goes on after its last complete chunk.
 * On disk, little-endian: `alphas.bin` f16 or f32 `[latents, k]`, `ids.bin` u32 `[latents, k]` (absent with
 * the full vocabulary), `offsets.bin` u32 `[count + 1]`, the first latent of each example, and `labels.json`.
 */
export class LabelWriter {
  readonly #folder: string;
  readonly #files = new Map<LabelFile, HashedFile>();
  #manifest: LabelManifest;

  /**
   * @throws If the header is invalid.
   * @throws If the folder holds labels made with another header.
   * @throws If what was written before is cut short or was changed.
   */
  constructor(folder: string, header: LabelHeader) {
    this.#folder = folder;
    const result = labelHeaderSchema.safeParse(header);
    if (!result.success) {
      const { path, message } = result.error.issues[0]!;
      throw new Error(`LabelWriter: expected a valid ${path.join('.')} in the header, got: ${message}`);
    }
    mkdirSync(folder, { recursive: true });
    const before = existsSync(join(folder, LABELS_FILE))
      ? readLabelManifest('LabelWriter', folder)
      : undefined;
    if (before) {
      const changed = differences(before.header, header);
      if (changed.length > 0) {
        throw new Error(`LabelWriter: expected the header of ${folder}, got another ${changed.join(', ')}`);
      }
    }
    const names: LabelFile[] = [ALPHAS_FILE, OFFSETS_FILE];
    if (header.k < header.vocabularySize) names.push(IDS_FILE);
    try {
      for (const name of names) {
        this.#files.set(name, new HashedFile(join(folder, name), before?.files[name]));
      }
      if (!before) this.#append(OFFSETS_FILE, Uint32Array.of(0));
      const { finished = false, examples = 0, latents = 0 } = before ?? {};
      this.#manifest = { version: 1, finished, header, examples, latents, files: this.#digests() };
      if (!before) this.#commit({});
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The number of the example that the next chunk begins with. */
  get nextExample(): number {
    return this.#manifest.examples;
  }

  get finished(): boolean {
    return this.#manifest.finished;
  }

  /**
   * Appends the next examples as one chunk, durable when it returns.
   * @throws If there are more examples than the header announces.
   * @throws If arrays do not match k, an id is outside the vocabulary, or a probability is not one.
   * @throws If the disk is full; open the store again to go on after the chunk before.
   */
  append(chunk: readonly ExampleLabels[]): void {
    this.#checkOpen();
    const { header, examples } = this.#manifest;
    if (examples + chunk.length > header.count) {
      throw new Error(
        `LabelWriter.append: expected ${header.count} examples, got ${examples + chunk.length}`,
      );
    }
    let { latents } = this.#manifest;
    const offsets = new Uint32Array(chunk.length);
    for (const [index, labels] of chunk.entries()) {
      latents += checkLabels(labels, header, examples + index);
      if (latents > MAX_LATENTS) {
        throw new Error(`LabelWriter.append: expected at most ${MAX_LATENTS} latents, got ${latents}`);
      }
      offsets[index] = latents;
    }
    try {
      for (const { alphas, ids } of chunk) {
        this.#append(ALPHAS_FILE, header.precision === 'float16' ? float32ToFloat16(alphas) : alphas);
        if (ids) this.#append(IDS_FILE, ids);
      }
      this.#append(OFFSETS_FILE, offsets);
      this.#commit({ examples: examples + chunk.length, latents });
    } catch (error) {
      this.close(); // half a chunk may be on disk; opening the store again cuts it off
      throw error;
    }
  }

  /** @throws If examples are missing. */
  finish(): void {
    this.#checkOpen();
    const { header, examples } = this.#manifest;
    if (examples !== header.count) {
      throw new Error(
        `LabelWriter.finish: expected ${header.count} examples in ${this.#folder}, got ${examples}`,
      );
    }
    this.#commit({ finished: true });
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #append(name: LabelFile, { buffer, byteOffset, byteLength }: NodeJS.TypedArray): void {
    this.#files.get(name)!.append(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Makes the data durable first, and then the manifest that counts it. */
  #commit(change: Partial<LabelManifest>): void {
    for (const file of this.#files.values()) file.sync();
    this.#manifest = { ...this.#manifest, ...change, files: this.#digests() };
    writeLabelManifest(this.#folder, this.#manifest);
  }

  #checkOpen(): void {
    if (this.#files.size > 0) return;
    throw new Error(`LabelWriter: expected an open store, got ${this.#folder} after it was closed`);
  }

  #digests(): LabelManifest['files'] {
    const digests = [...this.#files].map(([name, file]) => [name, file.digest()] as const);
    return Object.fromEntries(digests) as LabelManifest['files'];
  }
}

/** Returns the number of latents. */
function checkLabels({ alphas, ids }: ExampleLabels, header: LabelHeader, example: number): number {
  const { k, vocabularySize } = header;
  const fail = (expected: string, got: unknown): Error =>
    new Error(`LabelWriter.append: expected ${expected} in example ${example}, got ${got}`);
  if (alphas.length % k !== 0) throw fail(`[N, ${k}] probabilities`, alphas.length);
  const wrong = alphas.find((alpha) => !(alpha >= 0 && alpha < Infinity));
  if (wrong !== undefined) throw fail('probabilities', wrong);
  if (k < vocabularySize) {
    if (ids?.length !== alphas.length) throw fail(`${alphas.length} ids`, ids?.length ?? 'none');
    const outside = ids.find((id) => id >= vocabularySize);
    if (outside !== undefined) throw fail(`ids below ${vocabularySize}`, outside);
  } else if (ids) {
    throw fail('no ids with the full vocabulary', `${ids.length}`);
  }
  return alphas.length / k;
}
