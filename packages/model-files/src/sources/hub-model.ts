import { join } from 'node:path';
import { HubCache, hasSize } from './hub-cache.js';
import { downloadHubFile } from './hub-download.js';
import { chooseHubFiles, type HubFile } from './hub-files.js';
import type { HubReference } from './hub-reference.js';

type Library = typeof import('@huggingface/hub');

/** More entries than any model has: a listing that does not end is given up. */
const MAX_ENTRIES = 20_000;

/** How the hub is reached. */
interface Access {
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

/**
 * A model of the Hugging Face hub, in the hub's own cache (`$HF_HUB_CACHE`, `$HF_HOME/hub` or
 * `~/.cache/huggingface/hub`). Files that are there are not fetched again; where the hub is out of reach, or
 * `$HF_HUB_OFFLINE` is 1, what was fetched before for the same revision is used.
 * @param hub Address of the hub; by default `$HF_ENDPOINT`, else the library's.
 * @returns the path of the snapshot's folder, or of the GGUF file.
 * @throws If the repository, revision or file does not exist, or may not be read (`$HF_TOKEN` gives access).
 * @throws If it holds no model that can be read.
 * @throws If a download fails, or is not what the hub lists.
 */
export async function hubModel(
  reference: HubReference,
  hub: string | undefined,
  onProgress: (sentence: string) => void,
): Promise<string> {
  const library = await import('@huggingface/hub');
  const { repository, revision } = reference;
  const origin = `${repository}@${revision}`;
  const repositoryFolder = library.getRepoFolderName({ type: 'model', name: repository });
  const cache = new HubCache(join(library.getHFHubCachePath(), repositoryFolder));
  const access = accessFrom(hub, process.env);

  let listed: { commit: string; files: HubFile[] };
  try {
    if (process.env.HF_HUB_OFFLINE === '1') throw new TypeError('HF_HUB_OFFLINE is 1');
    listed = await listModel(library, reference, access, origin);
  } catch (error) {
    const cached = isOutOfReach(error) ? cache.find(reference) : undefined;
    if (cached === undefined) throw explain(error, origin);
    onProgress(`the hub is out of reach: using ${origin} as it was fetched before`);
    return cached;
  }

  const { commit, files } = listed;
  for (const file of files) {
    if (cache.has(commit, file)) continue;
    if (!hasSize(cache.blob(file), file.sizeBytes)) {
      onProgress(`downloading ${file.path} of ${origin} (${(file.sizeBytes / 1e6).toFixed(1)} MB)`);
      await downloadHubFile(file, () => open(library, repository, commit, file, access), cache.blob(file));
    }
    cache.link(commit, file);
  }
  cache.remember(revision, commit);
  const [first] = files;
  return first!.path.endsWith('.gguf') ? join(cache.snapshot(commit), first!.path) : cache.snapshot(commit);
}

function accessFrom(hub: string | undefined, environment: NodeJS.ProcessEnv): Access {
  const hubUrl = (hub ?? environment.HF_ENDPOINT)?.replace(/\/+$/, '');
  const accessToken = environment.HF_TOKEN;
  return { ...(hubUrl && { hubUrl }), ...(accessToken && { accessToken }) };
}

/** The commit that a revision stands for, and the files of it that make the model. */
async function listModel(
  library: Library,
  { repository, file, revision }: HubReference,
  access: Access,
  origin: string,
): Promise<{ commit: string; files: HubFile[] }> {
  const { sha: commit } = await library.modelInfo({
    name: repository,
    revision,
    additionalFields: ['sha'],
    ...access,
  });
  if (!/^[0-9a-f]{40}$/.test(commit)) {
    throw new Error(`resolveModel: expected the commit of ${origin}, got ${commit}`);
  }
  const recursive = file?.includes('/') ?? false;
  const entries = [];
  for await (const entry of library.listFiles({ repo: repository, revision: commit, recursive, ...access })) {
    entries.push(entry);
    if (entries.length > MAX_ENTRIES) {
      throw new Error(`resolveModel: expected at most ${MAX_ENTRIES} files in ${origin}, got more`);
    }
  }
  return { commit, files: chooseHubFiles(entries, file, origin) };
}

async function open(
  library: Library,
  repository: string,
  commit: string,
  { path }: HubFile,
  access: Access,
): Promise<Blob> {
  const content = await library.downloadFile({ repo: repository, path, revision: commit, ...access });
  if (!content) throw new Error('no such file');
  return content;
}

function isOutOfReach(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  return error instanceof TypeError || (statusCode !== undefined && statusCode >= 500);
}

function explain(error: unknown, origin: string): Error {
  const { message, cause, statusCode } = error as Error & { statusCode?: number };
  if (message.startsWith('resolveModel:')) return error as Error;
  const hints: Record<number, string> = {
    401: '; it does not exist, or needs a token in HF_TOKEN',
    403: '; it is private or gated, and needs a token in HF_TOKEN that may read it',
    404: '; check the name and the revision',
  };
  const reason = statusCode !== undefined ? `status ${statusCode}${hints[statusCode] ?? ''}` : message;
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  return new Error(`resolveModel: expected the hub to list ${origin}, got ${reason}${detail}`, {
    cause: error,
  });
}
