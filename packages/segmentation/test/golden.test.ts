import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  decoderLayout,
  type ExampleTokens,
  encoderLayout,
  type Layout,
  labels,
  positions,
  roles,
  segmentByRate,
  sizesOf,
  studentLayout,
  tokenIds,
} from '../src/index.js';

/** Made by running the authors' own sequence, mask and position functions on six small examples. */
const file = new URL('../../../../shared/golden/layouts.jsonl', import.meta.url);

interface Golden {
  readonly name: string;
  readonly r: number;
  readonly N: number;
  readonly enc_ids: number[];
  readonly dec_ids: number[];
  readonly labels: number[];
  readonly pos_dual: number[];
  readonly stage1_ce: [row: number, target: number][];
  readonly stage2_ids: number[];
  readonly stage2_labels: number[];
  readonly latent_index: [start: number, end: number];
  readonly kl_rows: number[];
  readonly stage2_ce: [row: number, target: number][];
}

const COMPRESS = 9;
const PLACEHOLDER = -100;
const ANSWER = [31, 32];

/** The example behind a case: prompt 11..13, answer 31..32, and the markers and chain that its encoder ids show. */
function exampleOf(golden: Golden): ExampleTokens {
  const afterPrompt = golden.enc_ids.slice(3);
  const think = afterPrompt.slice(0, golden.latent_index[0] - 3);
  const lastCompress = afterPrompt.lastIndexOf(COMPRESS);
  const chain = afterPrompt.slice(think.length, lastCompress).filter((id) => id !== COMPRESS);
  return {
    prompt: golden.enc_ids.slice(0, 3),
    think,
    segments: segmentByRate(chain, golden.r),
    end: afterPrompt.slice(lastCompress + 1),
    answer: ANSWER,
  };
}

/** Their labels: a target's own id, -100 elsewhere. */
function labelIds(layout: Layout, example: ExampleTokens): number[] {
  const ids = tokenIds(layout, example, PLACEHOLDER);
  return Array.from(labels(layout), (isTarget, row) => (isTarget ? ids[row]! : -100));
}

/** Their cross-entropy rows: the row that predicts, and the id it is asked for. */
function crossEntropyRows(layout: Layout, example: ExampleTokens): [number, number][] {
  return labelIds(layout, example).flatMap((id, row): [number, number][] =>
    id === -100 ? [] : [[row - 1, id]],
  );
}

describe.skipIf(!existsSync(file))('layouts of the authors’ code (skipped without shared/golden)', () => {
  const cases: Golden[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

  it('holds six cases', () => expect(cases).toHaveLength(6));

  for (const golden of cases) {
    const example = exampleOf(golden);
    const sizes = sizesOf(example);
    // Padding is the batch's business, not the layout's: cut theirs off.
    const unpadded = golden.dec_ids.filter((id) => id !== 0).length;

    it(`${golden.name}: encoder ids and latents`, () => {
      const layout = encoderLayout(sizes);
      expect([...tokenIds(layout, example, COMPRESS)]).toEqual(golden.enc_ids);
      expect(layout.latentCount).toBe(golden.N);
      expect(roles(layout).map((role) => role === 'latent')).toEqual(
        golden.enc_ids.map((id) => id === COMPRESS),
      );
      expect([...positions(layout)]).toEqual(golden.enc_ids.map((_, row) => row));
      expect([...labels(layout)].every((label) => label === 0)).toBe(true);
    });

    it(`${golden.name}: decoder ids, labels, dual positions, cross-entropy rows`, () => {
      const layout = decoderLayout(sizes);
      expect([...tokenIds(layout, example, PLACEHOLDER)]).toEqual(golden.dec_ids.slice(0, unpadded));
      expect(labelIds(layout, example)).toEqual(golden.labels.slice(0, unpadded));
      expect([...positions(layout)]).toEqual(golden.pos_dual.slice(0, unpadded));
      expect(crossEntropyRows(layout, example)).toEqual(golden.stage1_ce);
    });

    it(`${golden.name}: student ids, labels, latent slots, KL and cross-entropy rows`, () => {
      const layout = studentLayout(sizes);
      expect([...tokenIds(layout, example, PLACEHOLDER)]).toEqual(golden.stage2_ids);
      expect(labelIds(layout, example)).toEqual(golden.stage2_labels);
      const latents = layout.spans.filter((span) => span.role === 'latent').map((span) => span.start);
      expect([latents[0], latents.at(-1)! + 1]).toEqual(golden.latent_index);
      expect(latents.map((row) => row - 1)).toEqual(golden.kl_rows);
      expect(crossEntropyRows(layout, example)).toEqual(golden.stage2_ce);
    });
  }
});
