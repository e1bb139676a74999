import * as tf from '@tensorflow/tfjs';
import { defineKernel, isOverridden, runKernel } from '../kernel.js';

/**
 * Keys and values of the tokens so far, float32 [B, C, G, d] with C >= used: rows from `used` on hold nothing that may
 * be read.
 */
export interface KeyValueCache {
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
  readonly used: number;
}

/** Room for this many more tokens in a first cache. */
const FIRST_ROOM = 64;

const kernel = defineKernel({
  name: 'LatentCacheAppend',
  inputs: ['cachedKey', 'cachedValue', 'key', 'value'],
  outputs: 2,
  saved: { inputs: [], outputs: [] },
  composition: {
    forward: ({ cachedKey, cachedValue, key, value }, { used, capacity }) => {
      const append = (cached: tf.Tensor, fresh: tf.Tensor) => {
        const [batch, count, ...head] = fresh.shape as [number, number, number, number];
        const [filled, room] = [used as number, (capacity as number) - (used as number) - count];
        const parts = [
          ...(filled > 0 ? [tf.slice(cached, [0, 0, 0, 0], [batch, filled, ...head])] : []),
          fresh,
          ...(room > 0 ? [tf.zeros([batch, room, ...head])] : []),
        ];
        return parts.length === 1 ? tf.clone(fresh) : tf.concat(parts, 1);
      };
      return [append(cachedKey!, key!), append(cachedValue!, value!)];
    },
    backward: () => ({}),
  },
});

/**
 * How many rows C a cache is going to have after `count` more tokens: twice as many where it is full, on a backend that
 * writes into the room of a cache; on others, which copy it at every step, no more than it needs.
 */
export function cacheCapacity(cache: KeyValueCache | null, count: number): number {
  const needed = (cache?.used ?? 0) + count;
  if (!isOverridden(kernel)) return needed;
  const present = cache?.key.shape[1] ?? 0;
  return needed <= present ? present : Math.max(needed + FIRST_ROOM, 2 * present);
}

/**
 * Appends the keys and values of T tokens. The cache given is used up: its tensors are disposed, or written into and
 * given back as the new one's; nobody else may hold them. The caller owns the result and its inputs. Without gradient.
 *
 * @param cache null for none yet
 * @param key float32 [B, T, G, d]
 * @param value float32 [B, T, G, d]
 * @returns a cache of `cacheCapacity(cache, T)` rows
 * @throws if key and value differ in shape, or from the cache in B, G or d.
 */
export function appendToCache(
  cache: KeyValueCache | null,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
): KeyValueCache {
  const [batch, count, groups, width] = key.shape;
  if (String(value.shape) !== String(key.shape)) {
    throw new Error(`appendToCache: expected values [${key.shape}] like the keys, got [${value.shape}]`);
  }
  if (cache) {
    const [rows, , cachedGroups, cachedWidth] = cache.key.shape;
    if (rows !== batch || cachedGroups !== groups || cachedWidth !== width) {
      throw new Error(
        `appendToCache: expected keys [${rows}, T, ${cachedGroups}, ${cachedWidth}] like the cache, got [${key.shape}]`,
      );
    }
  }
  const used = cache?.used ?? 0;
  const capacity = cacheCapacity(cache, count);
  const empty = cache ?? { key: tf.zeros<tf.Rank.R4>([batch, 0, groups, width]), value: null };
  const [allKeys, allValues] = runKernel(
    kernel,
    { cachedKey: empty.key, cachedValue: empty.value ?? empty.key, key, value },
    { used, capacity },
  );
  tf.dispose(empty.value ? [empty.key, empty.value] : [empty.key]);
  return { key: allKeys as tf.Tensor4D, value: allValues as tf.Tensor4D, used: used + count };
}

const prompts = defineKernel({
  name: 'LatentCachePrompts',
  inputs: ['key', 'value', 'lengths'],
  outputs: 2,
  saved: { inputs: [], outputs: [] },
  composition: {
    forward: ({ key, value, lengths }, { capacity }) => {
      const counts = lengths!.dataSync<'int32'>();
      const [total, ...head] = key!.shape as [number, number, number];
      // what a row has no token for is the row of zeros behind all tokens
      const places = new Int32Array(counts.length * (capacity as number)).fill(total);
      let first = 0;
      counts.forEach((count, row) => {
        for (let i = 0; i < count; i++) places[row * (capacity as number) + i] = first++;
      });
      const spread = (x: tf.Tensor) =>
        tf.reshape(tf.gather(tf.concat([x, tf.zeros([1, ...head])]), places), [
          counts.length,
          capacity as number,
          ...head,
        ]);
      return [spread(key!), spread(value!)];
    },
    backward: () => ({}),
  },
});

/**
 * A first cache, of B prompts whose N tokens stand one after the other: row b begins with its own, with zeros after
 * them up to the longest. The caller owns the result and its inputs. Without gradient.
 *
 * @param key float32 [N, G, d]
 * @param value float32 [N, G, d]
 * @param lengths tokens of each prompt
 * @returns a cache of `cacheCapacity(null, P)` rows, P of them in use, for a longest prompt of P tokens
 * @throws if key and value differ in shape, or the lengths do not sum to N.
 */
export function cacheOfPrompts(
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  lengths: readonly number[],
): KeyValueCache {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (key.shape[0] !== total || String(value.shape) !== String(key.shape)) {
    throw new Error(
      `cacheOfPrompts: expected keys and values [${total}, G, d], got [${key.shape}] and [${value.shape}]`,
    );
  }
  const used = Math.max(...lengths);
  const counts = tf.tensor1d([...lengths], 'int32');
  const attributes = { used, capacity: cacheCapacity(null, used) };
  const [keys, values] = runKernel(prompts, { key, value, lengths: counts }, attributes);
  counts.dispose();
  return { key: keys as tf.Tensor4D, value: values as tf.Tensor4D, used };
}
