import fc from 'fast-check';
import { it } from 'vitest';
import { type AttentionSizes, attentionCase, type Ranges } from './cases/attention.js';
import { checkForward, checkGradients } from './kernel-case.js';

/** Up to three sorted, disjoint ranges over the keys, empty ones among them. */
const rangesOver = (keys: number): fc.Arbitrary<Ranges> =>
  fc.array(fc.nat({ max: keys }), { minLength: 6, maxLength: 6 }).map((limits) => {
    const sorted = limits.sort((a, b) => a - b);
    return [0, 2, 4].map((i) => [sorted[i]!, sorted[i + 1]!] as const);
  });

const layouts: fc.Arbitrary<{ sizes: AttentionSizes; perQuery: Ranges[] }> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    queries: fc.integer({ min: 1, max: 4 }),
    keys: fc.integer({ min: 1, max: 7 }),
    groups: fc.integer({ min: 1, max: 2 }),
    share: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ batch, queries, keys, groups, share, width }) =>
    fc
      .array(rangesOver(keys), { minLength: batch * queries, maxLength: batch * queries })
      .map((perQuery) => ({
        sizes: { batch, queries, keys, heads: groups * share, groups, width },
        perQuery,
      })),
  );

/** Declares the property test of attention over random layouts. */
export function testAttentionLayouts(): void {
  it('attention, 100 random layouts: forward and gradients', () => {
    fc.assert(
      fc.property(layouts, ({ sizes, perQuery }) => {
        const layout = attentionCase('random layout', sizes, perQuery);
        checkForward(layout);
        checkGradients(layout);
      }),
      { numRuns: 100, seed: 20251015 },
    );
  });
}
