import { randomDraws } from '@latent-sft/random';
import {
  chainLayout,
  decoderLayout,
  type ExampleTokens,
  encoderLayout,
  sizesOf,
  studentLayout,
} from '@latent-sft/segmentation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, type ExampleRows, exampleRows, packBatch, type RowSettings } from '../src/index.js';

/** An example of random sizes, every token of it the same. */
function exampleOf(seed: number, number: number, id: number): ExampleTokens {
  const random = randomDraws(seed, number);
  const words = (most: number) => Array.from({ length: 1 + random.integer(most) }, () => id);
  return {
    prompt: words(3),
    think: words(2),
    segments: Array.from({ length: 1 + random.integer(4) }, () => words(3)),
    end: words(2),
    answer: words(3),
  };
}

const packs = fc.record({
  seed: fc.nat(),
  examples: fc.integer({ min: 1, max: 5 }),
  /** One row for all of them, or rows that hold one or two. */
  oneRow: fc.boolean(),
});

function pack(items: readonly ExampleRows[], oneRow: boolean, mean: 'token' | 'example' = 'example'): Batch {
  const total = items.reduce((sum, { length }) => sum + length, 0);
  const longest = Math.max(...items.map(({ length }) => length));
  return packBatch(items, { length: oneRow ? total + 2 : longest + 4, mean });
}

describe('a packed batch', () => {
  const layouts = {
    chain: { layout: chainLayout, settings: { mask: 'causal' } },
    encoder: { layout: encoderLayout, settings: { mask: 'ltim' } },
    decoder: { layout: decoderLayout, settings: { mask: 'ltsum' } },
    student: { layout: studentLayout, settings: { mask: 'causal' } },
  } as const;

  it.each(['chain', 'encoder', 'decoder', 'student'] as const)(
    'lets no row of a %s see another example or padding',
    (kind) => {
      fc.assert(
        fc.property(packs, ({ seed, examples, oneRow }) => {
          const { layout, settings } = layouts[kind];
          // Every token of an example is its number, counted from 1.
          const items = Array.from({ length: examples }, (_, number) => {
            const example = exampleOf(seed, number, number + 1);
            return exampleRows(layout(sizesOf(example)), example, { ...settings, latentId: number + 1 });
          });
          const { ids, ranges, rows, length, tokens } = pack(items, oneRow);
          expect(ids.filter((id) => id > 0).length).toBe(tokens);
          for (let query = 0; query < rows * length; query++) {
            const rowStart = query - (query % length);
            const seen = new Set<number>();
            for (let range = 0; range < 3; range++) {
              const [start, end] = ranges.subarray((query * 3 + range) * 2);
              for (let key = start!; key < end!; key++) seen.add(ids[rowStart + key]!);
            }
            expect([...seen]).toEqual(ids[query] === 0 ? [] : [ids[query]]);
          }
        }),
        { numRuns: 30 },
      );
    },
  );

  it.each(['token-mean', 'suffix-mean', 'chunk-mean', 'strict-suffix'] as const)(
    'has target weights that sum to 1, each example its share, reading %s',
    (reading) => {
      const tails = reading === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
      fc.assert(
        fc.property(packs, fc.boolean(), ({ seed, examples, oneRow }, superviseAnswer) => {
          const items = Array.from({ length: examples }, (_, number) => {
            const example = exampleOf(seed, number, number + 1);
            const settings: RowSettings = { mask: 'ltsum', reading, superviseAnswer, latentId: number + 1 };
            return exampleRows(decoderLayout(sizesOf(example), { tails }), example, settings);
          });
          for (const mean of ['token', 'example'] as const) {
            const batch = pack(items, oneRow, mean);
            const sums = items.map(() => 0);
            batch.targetWeights.forEach((weight, i) => {
              sums[batch.targetIds[i]! - 1]! += weight;
            });
            const targets = batch.targetWeights.length;
            items.forEach((item, i) => {
              const share = mean === 'example' ? 1 / examples : item.targets.length / targets;
              expect(sums[i]).toBeCloseTo(share, 5);
            });
            expect(batch.latentWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
          }
        }),
        { numRuns: 30 },
      );
    },
  );

  it('refuses nothing at all, and an example that does not fit', () => {
    expect(() => packBatch([])).toThrow('packBatch: expected at least one example, got none');
    const example = exampleOf(1, 0, 1);
    const rows = exampleRows(chainLayout(sizesOf(example)), example, { mask: 'causal', latentId: 0 });
    expect(() => packBatch([rows], { length: rows.length - 1 })).toThrow(
      `packBatch: expected examples of at most ${rows.length - 1} rows, got ${rows.length}`,
    );
  });
});
