import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { HubFile } from './hub-files.js';
import type { HubReference } from './hub-reference.js';

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * One repository in the cache that Hugging Face's libraries share: `blobs/` by hash, `snapshots/COMMIT/` of links
 * to them, `refs/` from branches to commits.
 */
export class HubCache {
  readonly #folder: string;

  /** @param folder The repository's folder in the cache. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where a file's content is kept. */
  blob(file: HubFile): string {
    const path = join(this.#folder, 'blobs', file.hash.value);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  snapshot(commit: string): string {
    return join(this.#folder, 'snapshots', commit);
  }

  /** Whether a file of that size is in the snapshot of a commit. */
  has(commit: string, file: HubFile): boolean {
    return hasSize(join(this.snapshot(commit), file.path), file.sizeBytes);
  }

  /** Puts a kept blob into the snapshot of a commit; a copy where links cannot be made. */
  link(commit: string, file: HubFile): void {
    const place = join(this.snapshot(commit), file.path);
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { force: true });
    try {
      symlinkSync(relative(dirname(place), this.blob(file)), place);
    } catch {
      copyFileSync(this.blob(file), place);
    }
  }

  /** Notes which commit a branch or tag stands for. */
  remember(revision: string, commit: string): void {
    if (revision === commit) return;
    const place = join(this.#folder, 'refs', revision);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(`${place}.${process.pid}`, commit);
    renameSync(`${place}.${process.pid}`, place);
  }

  /** The model that was fetched before for a reference, if there is one. */
  find({ revision, file }: HubReference): string | undefined {
    const commit = COMMIT.test(revision) ? revision : this.#remembered(revision);
    if (commit === undefined) return undefined;
    const snapshot = this.snapshot(commit);
    if (!existsSync(snapshot)) return undefined;
    if (file !== undefined) return existsSync(join(snapshot, file)) ? join(snapshot, file) : undefined;
    const names = readdirSync(snapshot);
    if (names.some((name) => /^model\.safetensors(\.index\.json)?$/.test(name))) return snapshot;
    const ggufs = names.filter((name) => name.endsWith('.gguf'));
    return ggufs.length === 1 ? join(snapshot, ggufs[0]!) : undefined;
  }

  #remembered(revision: string): string | undefined {
    const place = join(this.#folder, 'refs', revision);
    const commit = hasSize(place, 40) ? readFileSync(place, 'utf8') : '';
    return COMMIT.test(commit) ? commit : undefined;
  }
}

/** Whether a file of that size is there. */
export function hasSize(path: string, sizeBytes: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === sizeBytes;
}
