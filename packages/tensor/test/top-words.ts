import { randomDraws } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { headTopWords, type TopWords, topWords, withoutLeaks } from '../src/index.js';
import { normalSample } from './sample.js';

/** The k best words of a row by sorting all of them, of equals the earlier one. */
function bestOf(logits: ArrayLike<number>, count: number, excluded: ReadonlySet<number>): number[] {
  const open = Array.from(logits, (_, word) => word).filter((word) => !excluded.has(word));
  return open.sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
}

function numbersOf({ logits, ids }: TopWords): { logits: number[][]; ids: number[][] } {
  return { logits: logits.arraySync(), ids: ids.arraySync() };
}

/** Declares the tests of the choice of words. */
export function testTopWords(): void {
  it('topWords and headTopWords: the largest of all, sorted, at random sizes, without leaks', async () => {
    await withoutLeaks(() =>
      tf.tidy(() => {
        const random = randomDraws(5, 1);
        for (let i = 0; i < 40; i++) {
          const [rows, width] = [random.integer(9), 1 + random.integer(20)];
          // many words are cut into groups, whose lists become one
          const vocabulary = i % 8 === 0 ? 4000 + random.integer(3000) : 1 + random.integer(300);
          const banned = new Set(Array.from({ length: random.integer(4) }, () => random.integer(vocabulary)));
          if (banned.size === vocabulary) banned.clear();
          const count = 1 + random.integer(Math.min(20, vocabulary - banned.size));
          const sample = (name: string, shape: [number, number]) =>
            tf.tensor2d(Float32Array.from(normalSample(`top/${name}/${i}`, shape).data), shape);
          const [hidden, table] = [sample('hidden', [rows, width]), sample('table', [vocabulary, width])];
          const logits = tf.matMul<tf.Tensor2D>(hidden, table, false, true);
          const all = logits.arraySync();
          const expected = all.map((row) => bestOf(row, count, banned));
          const own = numbersOf(topWords(logits, count, [...banned]));
          expect(own.ids).toEqual(expected);
          expect(own.logits).toEqual(expected.map((words, r) => words.map((word) => all[r]![word]!)));
          const read = numbersOf(headTopWords(hidden, table, count, [...banned]));
          read.ids.forEach((words, r) => {
            expect(new Set(words).size).toBe(count);
            words.forEach((word, j) => {
              expect(banned.has(word)).toBe(false);
              // logits that differ by rounding alone may stand the other way round
              expect(all[r]![word]).toBeCloseTo(all[r]![expected[r]![j]!]!, 4);
              expect(read.logits[r]![j]).toBeCloseTo(all[r]![word]!, 4);
            });
          });
        }
      }),
    );
  });

  it('topWords: of equals the earlier word, in whole blocks and at their ends', () => {
    tf.tidy(() => {
      const row = Array.from({ length: 300 }, (_, word) => (word % 7 === 3 ? 2 : word % 11 === 0 ? 1 : 0));
      const { ids, logits } = numbersOf(topWords(tf.tensor2d([row, row.map(() => 5)]), 60, [3]));
      expect(ids).toEqual([
        bestOf(row, 60, new Set([3])),
        bestOf(
          row.map(() => 5),
          60,
          new Set([3]),
        ),
      ]);
      expect(logits[0]!.filter((value) => value === 2)).toHaveLength(42);
    });
  });

  it('topWords: where nothing else is left, excluded words come last', () => {
    tf.tidy(() => {
      const { ids, logits } = numbersOf(topWords(tf.tensor2d([[1, 9, 3, 8]]), 4, [1, 3]));
      expect(ids[0]!.slice(0, 2)).toEqual([2, 0]);
      expect([...ids[0]!].sort()).toEqual([0, 1, 2, 3]);
      expect(logits[0]!.slice(0, 2)).toEqual([3, 1]);
      expect(Math.max(...logits[0]!.slice(2))).toBeLessThan(-1e8);
    });
  });
}
