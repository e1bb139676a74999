import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { describeValue } from './describe-value.js';
import { readJsonFile } from './json-file.js';
import type { NamedArray } from './named-array.js';
import { readSafetensors } from './safetensors.js';

const MAX_INDEX_BYTES = 100_000_000;
/** A file beside the index: no folders, and nothing that begins with a dot. */
const SHARD_NAME = /^[A-Za-z0-9_][\w.-]*\.safetensors$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.unknown()) });

/**
 * Reads every tensor of a model that is spread over several safetensors files.
 * @param indexFile A `model.safetensors.index.json`: its `weight_map` says which file each tensor is in.
 * @throws If the index is missing, not JSON, without a `weight_map`, or names no tensor.
 * @throws If a shard's name is not that of a safetensors file beside the index, or a shard is missing.
 * @throws If a shard is malformed (see `readSafetensors`), or lacks a tensor that the index puts there.
 * @throws If two shards hold a tensor of the same name.
 */
export function readShardedSafetensors(indexFile: string): Map<string, NamedArray> {
  const folder = dirname(indexFile);
  const places = readIndex(indexFile);
  const shards = [...new Set(places.values())].sort();
  const missing = shards.filter((shard) => !existsSync(join(folder, shard)));
  if (missing.length > 0) {
    throw new Error(
      `readShardedSafetensors: expected ${shards.length} shards beside ${indexFile}, got none by the name of ${missing.slice(0, 5).join(', ')} (${missing.length} missing)`,
    );
  }
  const arrays = new Map<string, NamedArray>();
  const holders = new Map<string, string>();
  for (const shard of shards) {
    for (const [name, array] of readSafetensors(join(folder, shard))) {
      const holder = holders.get(name);
      if (holder !== undefined) {
        throw new Error(
          `readShardedSafetensors: expected tensor "${name}" in one shard of ${indexFile}, got it in ${holder} and ${shard}`,
        );
      }
      holders.set(name, shard);
      arrays.set(name, array);
    }
  }
  for (const [name, shard] of places) {
    if (holders.get(name) !== shard) {
      throw new Error(
        `readShardedSafetensors: expected tensor "${name}" in ${join(folder, shard)} by the index, got none of that name`,
      );
    }
  }
  return arrays;
}

function readIndex(indexFile: string): Map<string, string> {
  const result = indexSchema.safeParse(readJsonFile('readShardedSafetensors', indexFile, MAX_INDEX_BYTES));
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new Error(
      `readShardedSafetensors: expected an object weight_map in ${indexFile}, got ${path.join('.') || 'the file'} (${message})`,
    );
  }
  const places = new Map<string, string>();
  for (const [name, shard] of Object.entries(result.data.weight_map)) {
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard)) {
      throw new Error(
        `readShardedSafetensors: expected the name of a safetensors file beside ${indexFile} for tensor "${name}", got ${describeValue(shard)}`,
      );
    }
    places.set(name, shard);
  }
  if (places.size === 0) {
    throw new Error(`readShardedSafetensors: expected tensors in the weight_map of ${indexFile}, got none`);
  }
  return places;
}
