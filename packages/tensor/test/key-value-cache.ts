import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import {
  appendToCache,
  cacheCapacity,
  cacheOfPrompts,
  type KeyValueCache,
  withoutLeaks,
} from '../src/index.js';
import { normalSample } from './sample.js';

const sample = (name: string, shape: readonly [number, number, number, number]) =>
  tf.tensor4d(Float32Array.from(normalSample(name, shape).data), [...shape]);

/** The rows in use, as numbers. */
function filled({ key, value, used }: KeyValueCache): number[][] {
  return tf.tidy(() =>
    [key, value].map((x) => [
      ...tf.slice(x, [0, 0, 0, 0], [x.shape[0], used, x.shape[2], x.shape[3]]).dataSync(),
    ]),
  );
}

/** Declares the tests of the cache of keys and values. */
export function testKeyValueCache(): void {
  it('appendToCache: equals all tokens joined, to the bit, through every growth, without leaks', async () => {
    await withoutLeaks(() =>
      tf.tidy(() => {
        const counts = [3, ...Array.from({ length: 80 }, () => 1), 50, 2];
        const parts = counts.map((count, i) => ({
          key: sample(`cache/key/${i}`, [2, count, 3, 5]),
          value: sample(`cache/value/${i}`, [2, count, 3, 5]),
        }));
        let cache: KeyValueCache | null = null;
        parts.forEach(({ key, value }, i) => {
          const capacity = cacheCapacity(cache, counts[i]!);
          const live = tf.memory().numTensors;
          cache = appendToCache(cache, key, value);
          // what was given in is gone
          expect(tf.memory().numTensors).toBe(live + (i === 0 ? 2 : 0));
          expect(cache.key.shape).toEqual([2, capacity, 3, 5]);
          expect(capacity).toBeGreaterThanOrEqual(cache.used);
          if (i % 20 > 0 && i < 80) return;
          const joined = (of: 'key' | 'value') => [
            ...tf
              .concat(
                parts.slice(0, i + 1).map((part) => part[of]),
                1,
              )
              .dataSync(),
          ];
          expect(filled(cache)).toEqual([joined('key'), joined('value')]);
        });
      }),
    );
  });

  it('appendToCache: leaves alone what others made of the same memory', () => {
    tf.tidy(() => {
      let cache = appendToCache(null, sample('a', [1, 2, 1, 4]), sample('b', [1, 2, 1, 4]));
      for (let step = 0; step < 3; step++) {
        // a reshaped tensor has memory in common with the cache
        const size = cache.key.size;
        const views = [tf.reshape(cache.key, [size]), tf.reshape(cache.value, [size])];
        const before = views.map((view) => [...view.dataSync()]);
        cache = appendToCache(cache, sample(`c${step}`, [1, 1, 1, 4]), sample(`d${step}`, [1, 1, 1, 4]));
        // rows beyond those in use, too
        expect(views.map((view) => [...view.dataSync()])).toEqual(before);
      }
    });
  });

  it('appendToCache: keeps keys and values apart', () => {
    tf.tidy(() => {
      const both = sample('both', [1, 2, 1, 2]);
      let cache = appendToCache(null, both, both);
      cache = appendToCache(cache, sample('key', [1, 1, 1, 2]), sample('value', [1, 1, 1, 2]));
      const [key, value] = filled(cache);
      expect(key!.slice(0, 4)).toEqual(value!.slice(0, 4));
      expect(key!.slice(4)).not.toEqual(value!.slice(4));
    });
  });

  it('cacheOfPrompts: rows of their own tokens, then zeros; the next tokens go behind', async () => {
    await withoutLeaks(() =>
      tf.tidy(() => {
        const lengths = [3, 1, 5];
        const tokens = (name: string) => tf.reshape<tf.Rank.R3>(sample(name, [1, 9, 2, 3]), [9, 2, 3]);
        const [key, value] = [tokens('prompts/key'), tokens('prompts/value')];
        let cache = cacheOfPrompts(key, value, lengths);
        expect(cache.used).toBe(5);
        expect(cache.key.shape).toEqual([3, cacheCapacity(null, 5), 2, 3]);
        const spread = (x: tf.Tensor3D) => {
          const numbers = [...x.dataSync()];
          return lengths.flatMap((length) => [
            ...numbers.splice(0, 6 * length),
            ...Array.from({ length: 6 * (5 - length) }, () => 0),
          ]);
        };
        expect(filled(cache)).toEqual([spread(key), spread(value)]);
        const capacity = cacheCapacity(cache, 1);
        cache = appendToCache(cache, sample('next/key', [3, 1, 2, 3]), sample('next/value', [3, 1, 2, 3]));
        expect([cache.used, cache.key.shape[1]]).toEqual([6, capacity]);
      }),
    );
  });

  it('cacheOfPrompts: refuses lengths of another sum', () => {
    tf.tidy(() => {
      const x = tf.zeros<tf.Rank.R3>([4, 1, 2]);
      const message = (total: number, values: string) =>
        `cacheOfPrompts: expected keys and values [${total}, G, d], got [4,1,2] and [${values}]`;
      expect(() => cacheOfPrompts(x, x, [1, 2])).toThrow(message(3, '4,1,2'));
      expect(() => cacheOfPrompts(x, tf.zeros([4, 2, 2]), [1, 3])).toThrow(message(4, '4,2,2'));
    });
  });

  it('appendToCache: refuses other shapes', () => {
    tf.tidy(() => {
      const first = tf.zeros<tf.Rank.R4>([2, 3, 1, 4]);
      expect(() => appendToCache(null, first, tf.zeros([2, 3, 2, 4]))).toThrow(
        'appendToCache: expected values [2,3,1,4] like the keys, got [2,3,2,4]',
      );
      const cache = appendToCache(null, first, first);
      const other = tf.zeros<tf.Rank.R4>([3, 1, 1, 4]);
      expect(() => appendToCache(cache, other, other)).toThrow(
        'appendToCache: expected keys [2, T, 1, 4] like the cache, got [3,1,1,4]',
      );
    });
  });
}
