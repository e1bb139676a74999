import { randomDraws } from '@latent-sft/random';
import {
  chainLayout,
  decoderLayout,
  type ExampleTokens,
  encoderLayout,
  type Layout,
  type LayoutSizes,
  sizesOf,
  studentLayout,
} from '@latent-sft/segmentation';
import { expect, it, vi } from 'vitest';
import { exampleRows, neededRows, type RowSettings, rowsBySize } from '../src/index.js';

const VARIANTS: readonly (readonly [string, (sizes: LayoutSizes) => Layout, RowSettings])[] = [
  ['an encoder', encoderLayout, { mask: 'ltim', latentId: 77 }],
  ['a decoder', decoderLayout, { mask: 'ltsum', latentId: 0, maskOptions: { answerSeesLastLatent: false } }],
  [
    'a decoder of tails',
    (sizes) => decoderLayout(sizes, { tails: 'strict-suffix' }),
    { mask: 'ltsum', latentId: 0, track: 'single', reading: 'strict-suffix' },
  ],
  ['a student', studentLayout, { mask: 'causal', latentId: 0 }],
  ['a chain', chainLayout, { mask: 'causal', latentId: 0 }],
];

function drawExamples(count: number): ExampleTokens[] {
  const random = randomDraws(3, 1);
  const words = (most: number) => Array.from({ length: 1 + random.integer(most) }, () => random.integer(90));
  return Array.from({ length: count }, () => ({
    prompt: words(2),
    think: words(1),
    segments: Array.from({ length: 1 + random.integer(2) }, () => words(2)),
    end: words(2),
    answer: words(2),
  }));
}

it.each(VARIANTS)('lays out %s as its own arrangement would be', (_, layoutOf, settings) => {
  const examples = drawExamples(80);
  const counted = vi.fn(layoutOf);
  const rowsOf = rowsBySize(counted, settings);
  for (const example of examples) {
    expect(rowsOf(example)).toEqual(neededRows(exampleRows(layoutOf(sizesOf(example)), example, settings)));
  }
  const sizes = new Set(examples.map((example) => JSON.stringify(sizesOf(example))));
  expect(sizes.size).toBeLessThan(examples.length);
  expect(counted).toHaveBeenCalledTimes(sizes.size);
});

it('leaves out rows that only words were read from, where there are no targets', () => {
  const example = drawExamples(1)[0]!;
  const settings = { mask: 'causal', latentId: 0, targets: false } as const;
  const rows = rowsBySize(studentLayout, settings)(example);
  const all = exampleRows(studentLayout(sizesOf(example)), example, { ...settings, targets: true });
  expect(rows).toEqual(neededRows({ ...all, targets: [] }));
  expect(rows.length).toBe(Math.max(...all.beforeLatents, ...all.latentRows) + 1);
});

it('forgets arrangements when there are very many, and lays out all the same', () => {
  const settings = { mask: 'causal', latentId: 0 } as const;
  const counted = vi.fn(chainLayout);
  const rowsOf = rowsBySize(counted, settings);
  const long = (length: number): ExampleTokens => ({
    ...{ prompt: [1], think: [], segments: [], end: [], answer: [2] },
    segments: Array.from({ length }, () => [5]),
  });
  for (let length = 1; length <= 45; length++) {
    for (let prompt = 1; prompt <= 46; prompt++) {
      rowsOf({ ...long(length), prompt: Array.from({ length: prompt }, () => 1) });
    }
  }
  expect(counted).toHaveBeenCalledTimes(45 * 46);
  const first = long(1);
  expect(rowsOf(first)).toEqual(neededRows(exampleRows(chainLayout(sizesOf(first)), first, settings)));
  expect(counted).toHaveBeenCalledTimes(45 * 46 + 1);
});
