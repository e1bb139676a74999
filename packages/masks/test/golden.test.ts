import { existsSync, readFileSync } from 'node:fs';
import {
  decoderLayout,
  encoderLayout,
  fixedRateSizes,
  type Layout,
  storageOrder,
} from '@latent-sft/segmentation';
import { describe, expect, it } from 'vitest';
import { denseFromRanges, denseMask, keyRanges, type MaskName, type MaskOptions } from '../src/index.js';

/** Made by running the authors' own mask functions on six small examples. */
const file = new URL('../../../../shared/golden/layouts.jsonl', import.meta.url);

interface Golden {
  readonly name: string;
  readonly r: number;
  readonly enc_ids: number[];
  readonly dec_ids: number[];
  readonly latent_index: [start: number, end: number];
  readonly ltim: string[];
  readonly ltsum: string[];
  readonly ltim_sum: number;
  readonly ltsum_sum: number;
}

const COMPRESS = 9;

function gridOf(dense: Uint8Array, rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => dense.slice(row * rows, (row + 1) * rows).join(''));
}

function grids(layout: Layout, name: MaskName, options?: MaskOptions): string[][] {
  const fromRanges = denseFromRanges(keyRanges(layout, name, options), storageOrder(layout));
  return [denseMask(layout, name, options), fromRanges].map((dense) => gridOf(dense, layout.length));
}

function ones(grid: string[]): number {
  return grid.join('').replaceAll('0', '').length;
}

describe.skipIf(!existsSync(file))('masks of the authors’ code (skipped without shared/golden)', () => {
  const cases: Golden[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

  it('holds six cases', () => expect(cases).toHaveLength(6));

  for (const golden of cases) {
    const markers = golden.enc_ids.length - golden.enc_ids.lastIndexOf(COMPRESS) - 1;
    const head = golden.latent_index[0];
    const compressed = golden.enc_ids.slice(head, -markers);
    const sizes = {
      prompt: 3,
      think: head - 3,
      segments: fixedRateSizes(compressed.filter((id) => id !== COMPRESS).length, golden.r),
      end: markers,
      answer: 2,
    };

    it(`${golden.name}: LTIM`, () => {
      for (const grid of grids(encoderLayout(sizes), 'ltim')) {
        expect(grid).toEqual(golden.ltim);
        expect(ones(grid)).toBe(golden.ltim_sum);
      }
    });

    it(`${golden.name}: LTSuM`, () => {
      // Padding is the batch's business, not the mask's: theirs must be blank, and is cut off.
      const unpadded = golden.dec_ids.filter((id) => id !== 0).length;
      const padding = golden.ltsum.slice(unpadded).concat(golden.ltsum.map((row) => row.slice(unpadded)));
      expect(ones(padding)).toBe(0);
      for (const grid of grids(decoderLayout(sizes), 'ltsum')) {
        expect(grid).toEqual(golden.ltsum.slice(0, unpadded).map((row) => row.slice(0, unpadded)));
        expect(ones(grid)).toBe(golden.ltsum_sum);
      }
    });
  }
});

// Rows read off figure 4 of arXiv 2510.15522: only the answer's rows differ from the authors' code.
it('answerSeesLastLatent: false is the LTSuM as the paper draws it', () => {
  const layout = decoderLayout({ prompt: 3, think: 1, segments: [2, 2, 1], end: 1, answer: 2 });
  const code = grids(layout, 'ltsum')[0]!;
  for (const grid of grids(layout, 'ltsum', { answerSeesLastLatent: false })) {
    expect(grid.slice(0, -2)).toEqual(code.slice(0, -2));
    expect(grid.slice(-2)).toEqual(['1111100100110', '1111100100111']);
    expect(ones(grid)).toBe(60);
  }
});
