/** One file of a repository, as the hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** What its content hashes to, which is also its name in the cache. */
  readonly hash: { readonly kind: 'sha256' | 'git-blob'; readonly value: string };
}

/** The entry of a listing, of which only these fields are read. */
interface ListedEntry {
  readonly type: string;
  readonly path: string;
  readonly size: number;
  readonly oid?: string;
  readonly lfs?: { readonly oid: string };
}

const SETTINGS = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
]);
const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d{5,}-of-\d{5,}\.safetensors$/;

/**
 * Chooses what of a repository makes a model: its settings and its safetensors, or one GGUF file.
 * Nothing else is fetched; weights in forms that can execute code least of all.
 * @param file The GGUF file that was asked for, if any.
 * @param origin For messages.
 * @throws If the file that was asked for is not in the repository.
 * @throws If there are no safetensors, and not exactly one GGUF file.
 * @throws If an entry has no whole size or no hash.
 */
export function chooseHubFiles(
  entries: readonly ListedEntry[],
  file: string | undefined,
  origin: string,
): HubFile[] {
  const paths = entries.filter(({ type }) => type === 'file').map(({ path }) => path);
  const chosen = new Set(choosePaths(paths, file, origin));
  return entries.filter(({ path }) => chosen.has(path)).map((entry) => hubFile(entry, origin));
}

function choosePaths(paths: readonly string[], file: string | undefined, origin: string): string[] {
  if (file !== undefined) {
    if (!paths.includes(file))
      throw new Error(`resolveModel: expected ${file} in ${origin}, got no such file`);
    return [file];
  }
  const settings = paths.filter((path) => SETTINGS.has(path));
  if (paths.includes(SINGLE)) return [...settings, SINGLE];
  if (paths.includes(INDEX)) return [...settings, INDEX, ...paths.filter((path) => SHARD.test(path))];
  const ggufs = paths.filter((path) => path.endsWith('.gguf'));
  if (ggufs.length === 1) return ggufs;
  if (ggufs.length > 1) {
    throw new Error(
      `resolveModel: expected one .gguf file in ${origin}, got ${ggufs.length}; name one, as in owner/name/${ggufs[0]} (there are ${ggufs.slice(0, 20).join(', ')})`,
    );
  }
  throw new Error(
    `resolveModel: expected ${SINGLE}, ${INDEX} or a .gguf file in ${origin}, got ${paths.slice(0, 20).join(', ') || 'no files'}`,
  );
}

function hubFile({ path, size, oid, lfs }: ListedEntry, origin: string): HubFile {
  const kind = lfs ? 'sha256' : 'git-blob';
  const value = lfs ? lfs.oid : oid;
  const digits = lfs ? 64 : 40;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new Error(`resolveModel: expected the size of ${path} in ${origin}, got ${size}`);
  }
  if (typeof value !== 'string' || !new RegExp(`^[0-9a-f]{${digits}}$`).test(value)) {
    throw new Error(`resolveModel: expected the ${kind} hash of ${path} in ${origin}, got ${value}`);
  }
  return { path, sizeBytes: size, hash: { kind, value } };
}
