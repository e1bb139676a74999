import { appendToCache, cacheCapacity, cacheOfPrompts, type KeyValueCache } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

/**
 * The keys and values of one layer for all tokens so far, float32 [B, C, G, d] with rows to spare where the backend
 * writes into them; owned by the cache.
 */
export interface LayerCache {
  /** C once T more tokens are in: the keys that a pass's mask is made for. */
  keysAfter(count: number): number;
  /** Adds the newest T tokens and gives all C rows; the results stay the cache's, until it changes. */
  append(key: tf.Tensor4D, value: tf.Tensor4D): { key: tf.Tensor4D; value: tf.Tensor4D };
  /**
   * Takes the prompts' tokens, which stand one after the other in one row, [1, N, G, d]; the cache must be empty.
   *
   * @param lengths tokens of each prompt
   */
  fill(key: tf.Tensor4D, value: tf.Tensor4D, lengths: readonly number[]): void;
  /** An empty cache of one row, float32 [1, C, G, d], with room for `count` tokens that the caller writes; it must be empty. */
  open(count: number, heads: number, width: number): KeyValueCache;
  /** The tokens so far, with room for `count` more that the caller writes; they stay the cache's. */
  withRoom(count: number): KeyValueCache;
  /** Says that `count` tokens were written into that room. */
  filled(count: number): void;
  /** Keeps these rows of the batch only. */
  keepRows(rows: readonly number[]): void;
  dispose(): void;
}

/** An empty cache for each layer; the caller disposes them. */
export function layerCaches(layers: number): LayerCache[] {
  return Array.from({ length: layers }, layerCache);
}

function layerCache(): LayerCache {
  let held: KeyValueCache | null = null;
  const hold = (cache: KeyValueCache): KeyValueCache => {
    tf.keep(cache.key);
    tf.keep(cache.value);
    held = cache;
    return cache;
  };
  return {
    keysAfter: (count) => cacheCapacity(held, count),
    append: (key, value) => hold(appendToCache(held, key, value)),
    fill(key, value, lengths) {
      if (held) throw new Error(`fill: expected an empty cache, got ${held.used} tokens`);
      const rows = (x: tf.Tensor4D): tf.Tensor3D =>
        tf.reshape(x, x.shape.slice(1) as [number, number, number]);
      tf.tidy(() => {
        hold(cacheOfPrompts(rows(key), rows(value), lengths));
      });
    },
    open(count, heads, width) {
      if (held) throw new Error(`open: expected an empty cache, got ${held.used} tokens`);
      const empty = () => tf.fill<tf.Rank.R4>([1, cacheCapacity(null, count), heads, width], 0);
      return hold({ key: empty(), value: empty(), used: 0 });
    },
    withRoom(count) {
      if (!held) throw new Error('withRoom: expected tokens in the cache, got none');
      const { key, value, used } = held;
      const more = cacheCapacity(held, count) - key.shape[1];
      if (more > 0) {
        const grown = (x: tf.Tensor4D) =>
          tf.keep(
            tf.pad(x, [
              [0, 0],
              [0, more],
              [0, 0],
              [0, 0],
            ]),
          ); // [B, C, G, d]
        held = { key: grown(key), value: grown(value), used };
        tf.dispose([key, value]);
      }
      return held;
    },
    filled(count) {
      if (held) held = { ...held, used: held.used + count };
    },
    keepRows(rows) {
      if (!held) return;
      const { key, value, used } = held;
      const kept = tf.tidy(() => {
        const index = tf.tensor1d([...rows], 'int32');
        return [tf.keep(tf.gather(key, index)), tf.keep(tf.gather(value, index))] as const;
      });
      tf.dispose([key, value]);
      held = { key: kept[0], value: kept[1], used };
    },
    dispose() {
      if (held) tf.dispose([held.key, held.value]);
      held = null;
    },
  };
}
