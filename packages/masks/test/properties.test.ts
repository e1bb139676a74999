import {
  chainLayout,
  decoderLayout,
  encoderLayout,
  type Layout,
  type LayoutSizes,
  storageOrder,
  studentLayout,
} from '@latent-sft/segmentation';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  denseFromRanges,
  denseMask,
  keyRanges,
  type MaskName,
  type MaskOptions,
  RANGES_PER_QUERY,
  shiftRanges,
} from '../src/index.js';

interface Case {
  readonly layout: Layout;
  readonly name: MaskName;
  readonly options: MaskOptions;
}

const sizes: fc.Arbitrary<LayoutSizes> = fc.record({
  prompt: fc.integer({ min: 0, max: 4 }),
  think: fc.integer({ min: 0, max: 2 }),
  segments: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
  end: fc.integer({ min: 0, max: 2 }),
  answer: fc.integer({ min: 0, max: 3 }),
});

/** Student and chain layouts need a row before the first target. */
const headed = fc
  .tuple(sizes, fc.boolean())
  .map(([some, empty]) => ({ ...some, think: some.think + 1, segments: empty ? [] : some.segments }));

const decoder = fc
  .tuple(sizes, fc.constantFrom('next-segment', 'strict-suffix'))
  .map(([some, tails]) => decoderLayout(some, { tails }));

const options: fc.Arbitrary<MaskOptions> = fc.record({
  segmentContext: fc.constantFrom('latent', 'latent+prompt', 'latent+bos'),
  answerSeesLastLatent: fc.boolean(),
});

const anyCase: fc.Arbitrary<Case> = fc
  .oneof(
    fc.tuple(sizes.map(encoderLayout), fc.constantFrom<MaskName>('ltim', 'causal')),
    fc.tuple(decoder, fc.constantFrom<MaskName>('ltsum', 'causal')),
    fc.tuple(fc.oneof(headed.map(studentLayout), headed.map(chainLayout)), fc.constant<MaskName>('causal')),
  )
  .chain(([layout, name]) => options.map((chosen) => ({ layout, name, options: chosen })));

function rangesOf({ layout, name, options: chosen }: Case): Int32Array {
  return keyRanges(layout, name, chosen);
}

const RUNS = { numRuns: 500 };

describe('any layout, mask and option', () => {
  it('has ranges that stand for the rule', () => {
    fc.assert(
      fc.property(anyCase, (some) => {
        const fromRanges = denseFromRanges(rangesOf(some), storageOrder(some.layout));
        expect(fromRanges).toEqual(denseMask(some.layout, some.name, some.options));
      }),
      RUNS,
    );
  });

  it('has ranges that are sorted, apart, inside the row, unused ones last', () => {
    fc.assert(
      fc.property(anyCase, (some) => {
        const ranges = rangesOf(some);
        const width = RANGES_PER_QUERY * 2;
        expect(ranges).toHaveLength(some.layout.length * width);
        for (let row = 0; row < some.layout.length; row++) {
          const bounds = [...ranges.slice(row * width, (row + 1) * width)];
          const unused = bounds.indexOf(0, 1);
          const used = unused === -1 ? bounds : bounds.slice(0, unused - (unused % 2));
          expect(bounds.slice(used.length).every((bound) => bound === 0)).toBe(true);
          // Strictly increasing: ranges are not empty, and touching ones are joined.
          expect(used.every((bound, i) => i === 0 || bound > used[i - 1]!)).toBe(true);
          expect(used.at(-1)).toBeLessThanOrEqual(some.layout.length);
        }
      }),
      RUNS,
    );
  });

  it('lets every row read itself, and no row a later one', () => {
    fc.assert(
      fc.property(anyCase, (some) => {
        const rows = some.layout.length;
        const dense = denseMask(some.layout, some.name, some.options);
        for (let query = 0; query < rows; query++) {
          expect(dense[query * rows + query]).toBe(1);
          expect(dense.slice(query * rows + query + 1, (query + 1) * rows).every((cell) => cell === 0)).toBe(
            true,
          );
        }
      }),
      RUNS,
    );
  });

  it('packs with others into one row as diagonal blocks', () => {
    fc.assert(
      fc.property(fc.array(anyCase, { minLength: 2, maxLength: 4 }), (cases) => {
        const starts = cases.map((_, i) =>
          cases.slice(0, i).reduce((sum, { layout }) => sum + layout.length, 0),
        );
        const rows = cases.reduce((sum, { layout }) => sum + layout.length, 0);
        const ranges = cases.flatMap((some, i) => [...shiftRanges(rangesOf(some), starts[i]!)]);
        const order = cases.flatMap(({ layout }, i) =>
          Array.from(storageOrder(layout), (row) => row + starts[i]!),
        );

        const blocks = new Uint8Array(rows * rows);
        cases.forEach(({ layout, name, options: chosen }, i) => {
          const dense = denseMask(layout, name, chosen);
          for (let query = 0; query < layout.length; query++) {
            const block = dense.slice(query * layout.length, (query + 1) * layout.length);
            blocks.set(block, (starts[i]! + query) * rows + starts[i]!);
          }
        });
        expect(denseFromRanges(Int32Array.from(ranges), Int32Array.from(order))).toEqual(blocks);
      }),
      RUNS,
    );
  });
});

describe('LTSuM', () => {
  it('is the student’s causal mask on the backbone, which comes first in storage', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom('next-segment', 'strict-suffix'), options, (some, tails, chosen) => {
        fc.pre(some.prompt + some.think > 0);
        const student = studentLayout(some);
        const asCode = { ...chosen, answerSeesLastLatent: true };
        const ranges = keyRanges(decoderLayout(some, { tails }), 'ltsum', asCode);
        const backbone = ranges.slice(0, student.length * RANGES_PER_QUERY * 2);
        expect(backbone).toEqual(keyRanges(student, 'causal'));
      }),
      RUNS,
    );
  });
});

describe('LTIM', () => {
  it('is the written chain’s causal mask on the backbone: taking the latents out changes no other row', () => {
    fc.assert(
      fc.property(sizes, (some) => {
        const { length } = some.segments;
        const withoutAnswer = { ...some, answer: 0 };
        fc.pre(some.prompt + some.think > 0);
        const ranges = keyRanges(encoderLayout(some), 'ltim');
        const backbone = ranges.slice(0, ranges.length - length * RANGES_PER_QUERY * 2);
        expect(backbone).toEqual(keyRanges(chainLayout(withoutAnswer), 'causal'));
      }),
      RUNS,
    );
  });
});

describe('work', () => {
  it('is the backbone’s triangle and the branches’ own, however many segments there are', () => {
    fc.assert(
      fc.property(sizes, (some) => {
        const triangle = (rows: number): number => (rows * (rows + 1)) / 2;
        const backbone = some.prompt + some.think + some.segments.length + some.end + some.answer;
        const branches = some.segments.slice(1).map((rows) => rows + triangle(rows));
        const ranges = keyRanges(decoderLayout(some), 'ltsum');
        const visited = ranges.reduce((sum, bound, i) => sum + (i % 2 === 0 ? -bound : bound), 0);
        expect(visited).toBe(branches.reduce((sum, pairs) => sum + pairs, triangle(backbone)));
      }),
      RUNS,
    );
  });
});
