import { RANGES_PER_QUERY } from '@latent-sft/masks';
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
import { type ExampleRows, exampleRows, neededRows, type RowSettings } from '../src/index.js';

/** P1 P2 T, segments of 2 and 1 tokens, E1 E2, A1 A2. */
const example: ExampleTokens = {
  prompt: [1, 2],
  think: [3],
  segments: [[4, 5], [6]],
  end: [7, 8],
  answer: [9, 10],
};
const causal: RowSettings = { mask: 'causal', latentId: 0 };

/** The keys that each row sees. */
function seenBy({ length, ranges }: ExampleRows): number[][] {
  return Array.from({ length }, (_, row) => {
    const seen: number[] = [];
    for (let i = 0; i < RANGES_PER_QUERY; i++) {
      const [start, end] = ranges.subarray((row * RANGES_PER_QUERY + i) * 2);
      for (let key = start!; key < end!; key++) seen.push(key);
    }
    return seen;
  });
}

const readOf = ({ latentRows, beforeLatents, targets }: ExampleRows) => [
  ...latentRows,
  ...beforeLatents,
  ...targets.map(({ row }) => row),
];

/** Rows by repeating the definition until nothing changes. */
function neededByDefinition(rows: ExampleRows): number[] {
  const seen = seenBy(rows);
  let needed = new Set(readOf(rows));
  for (;;) {
    const more = new Set([...needed, ...[...needed].flatMap((row) => seen[row]!)]);
    if (more.size === needed.size) return [...needed].sort((a, b) => a - b);
    needed = more;
  }
}

/** Each row's token is its number, so that what stays says where it was. */
function expectSameReads(rows: ExampleRows): void {
  const numbered = { ...rows, ids: Int32Array.from({ length: rows.length }, (_, row) => row) };
  const kept = neededRows(numbered);
  const was = [...kept.ids];
  expect(was).toEqual(neededByDefinition(numbered));
  expect(kept.length).toBe(was.length);
  expect(kept.ranges.length).toBe(was.length * RANGES_PER_QUERY * 2);
  expect([...kept.positions]).toEqual(was.map((row) => rows.positions[row]));
  const before = seenBy(numbered);
  seenBy(kept).forEach((seen, row) => {
    expect(seen.map((key) => was[key])).toEqual(before[was[row]!]);
  });
  expect(readOf(kept).map((row) => was[row])).toEqual(readOf(numbered));
  expect(kept.targets.map(({ id, weight }) => [id, weight])).toEqual(
    rows.targets.map(({ id, weight }) => [id, weight]),
  );
  // ranges stay sorted and apart, with unused ones behind
  for (let row = 0; row < kept.length; row++) {
    const limits = [...kept.ranges.subarray(row * 6, row * 6 + 6)];
    const used = limits.slice(0, limits.indexOf(0, 1) < 0 ? 6 : limits.indexOf(0, 1));
    for (let i = 1; i < used.length; i++) expect(used[i]).toBeGreaterThan(used[i - 1]!);
    expect(limits.slice(used.length).every((limit) => limit === 0)).toBe(true);
  }
}

describe('the rows that are needed', () => {
  it.each([
    // the last token of the answer is a target and nothing more
    ['a chain', chainLayout(sizesOf(example)), causal, 10, 9],
    ['a student', studentLayout(sizesOf(example)), causal, 9, 8],
    // the end marker
    ['an encoder', encoderLayout(sizesOf(example)), { ...causal, mask: 'ltim' }, 10, 8],
    // the only token of the branch off Z1, and the last of the answer
    ['a decoder', decoderLayout(sizesOf(example)), { ...causal, mask: 'ltsum' }, 10, 8],
    // the last token of the answer, and of its copy
    [
      'a decoder with tails',
      decoderLayout(sizesOf(example), { tails: 'strict-suffix' }),
      { ...causal, mask: 'ltsum', reading: 'strict-suffix' },
      14,
      12,
    ],
  ] as const)('of %s', (_what, layout, settings, all, needed) => {
    const rows = exampleRows(layout, example, settings);
    expect([rows.length, neededRows(rows).length]).toEqual([all, needed]);
    expectSameReads(rows);
  });

  it('join ranges over what went', () => {
    const rows: ExampleRows = {
      length: 4,
      ids: Int32Array.of(5, 6, 7, 8),
      positions: Int32Array.of(0, 1, 2, 3),
      // row 1 is seen by itself alone
      ranges: Int32Array.from(
        [
          [0, 1, 0, 0, 0, 0],
          [0, 2, 0, 0, 0, 0],
          [0, 1, 2, 3, 0, 0],
          [0, 1, 2, 4, 0, 0],
        ].flat(),
      ),
      latentRows: [],
      beforeLatents: [],
      targets: [{ row: 3, id: 9, weight: 1 }],
    };
    expect(neededRows(rows)).toEqual({
      ...rows,
      length: 3,
      ids: Int32Array.of(5, 7, 8),
      positions: Int32Array.of(0, 2, 3),
      ranges: Int32Array.from([0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]),
      targets: [{ row: 2, id: 9, weight: 1 }],
    });
  });

  it('are all of them where each is read, and the same arrays', () => {
    const rows = exampleRows(chainLayout(sizesOf(example)), example, causal);
    const needed = neededRows(rows);
    expect(neededRows(needed)).toBe(needed);
  });

  it('are those of the definition, and see what they saw, in random examples', () => {
    const variants = [
      ['encoder', (sizes) => encoderLayout(sizes), { mask: 'ltim' }],
      ['encoder read causally', (sizes) => encoderLayout(sizes), { mask: 'causal' }],
      ['decoder', (sizes) => decoderLayout(sizes), { mask: 'ltsum' }],
      ['tails', (sizes) => decoderLayout(sizes, { tails: 'strict-suffix' }), { reading: 'strict-suffix' }],
      ['no answer', (sizes) => decoderLayout(sizes), { superviseAnswer: false }],
      [
        'no last latent',
        (sizes) => decoderLayout(sizes),
        { maskOptions: { answerSeesLastLatent: false, segmentContext: 'latent+bos' } },
      ],
      ['student', (sizes) => studentLayout(sizes), { mask: 'causal' }],
      ['chain', (sizes) => chainLayout(sizes), { mask: 'causal' }],
    ] as const satisfies readonly (readonly [
      string,
      (sizes: ReturnType<typeof sizesOf>) => ReturnType<typeof chainLayout>,
      Partial<RowSettings>,
    ])[];
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...variants), (seed, [, layoutOf, settings]) => {
        const random = randomDraws(seed, 1);
        const words = (most: number) =>
          Array.from({ length: 1 + random.integer(most) }, () => random.integer(9));
        const drawn: ExampleTokens = {
          prompt: words(4),
          think: words(2),
          segments: Array.from({ length: 1 + random.integer(4) }, () => words(4)),
          end: words(3),
          answer: words(4),
        };
        expectSameReads(
          exampleRows(layoutOf(sizesOf(drawn)), drawn, { mask: 'ltsum', latentId: 0, ...settings }),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('are those of the definition under random masks', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 24 }), (seed, length) => {
        const random = randomDraws(seed, 2);
        const ranges = new Int32Array(length * RANGES_PER_QUERY * 2);
        for (let row = 0; row < length; row++) {
          // a row sees itself, and up to two stretches of what is before it
          const cuts = Array.from({ length: 4 }, () => random.integer(row + 1)).sort((a, b) => a - b);
          const [a, b, c, d] = cuts as [number, number, number, number];
          const limits = [
            [a, b],
            [c, d],
            [row, row + 1],
          ].filter(([start, end]) => start! < end!);
          const apart = limits.filter(([start], i) => i === 0 || start! > limits[i - 1]![1]!);
          ranges.set(apart.flat(), row * RANGES_PER_QUERY * 2);
        }
        const read = Array.from({ length: 1 + random.integer(2) }, () => random.integer(length));
        expectSameReads({
          length,
          ids: new Int32Array(length),
          positions: Int32Array.from({ length }, (_, row) => row),
          ranges,
          latentRows: [],
          beforeLatents: [],
          targets: read.map((row) => ({ row, id: 1, weight: 1 / read.length })),
        });
      }),
      { numRuns: 300 },
    );
  });
});
