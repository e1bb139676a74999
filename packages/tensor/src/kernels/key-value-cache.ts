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
