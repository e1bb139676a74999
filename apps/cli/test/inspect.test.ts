import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawText, type MaskName, maskRule } from '@latent-sft/masks';
import {
  chainLayout,
  decoderLayout,
  encoderLayout,
  fixedRateSizes,
  labels,
  positions,
  roles,
  studentLayout,
} from '@latent-sft/segmentation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latentSft } from './command-line.js';

interface Sizes {
  readonly prompt: number;
  readonly think: number;
  readonly cot: number;
  readonly end: number;
  readonly answer: number;
  readonly rate: number;
}

interface Inspection {
  readonly roles: string[];
  readonly positions: number[];
  readonly mask: string[];
  readonly labels: number[];
}

async function inspect(kind: string, sizes: Sizes): Promise<Inspection> {
  const flags = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { code, out } = await latentSft(['inspect', '--kind', kind, ...flags, '--json']);
  expect(code).toBe(0);
  return JSON.parse(out) as Inspection;
}

const KINDS = [
  ['encoder', encoderLayout, 'ltim'],
  ['decoder', decoderLayout, 'ltsum'],
  ['student', studentLayout, 'causal'],
  ['chain', chainLayout, 'causal'],
] as const;

describe('inspect', () => {
  for (const [kind, layoutOf, mask] of KINDS) {
    it(`gives the ${kind} sequence by the rules, for any sizes`, async () => {
      const sizes = fc.record({
        prompt: fc.integer({ min: 1, max: 6 }),
        think: fc.integer({ min: 0, max: 3 }),
        cot: fc.integer({ min: 1, max: 12 }),
        end: fc.integer({ min: 1, max: 3 }),
        answer: fc.integer({ min: 0, max: 4 }),
        rate: fc.integer({ min: 1, max: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(sizes, async (drawn) => {
          const { cot, rate, ...rest } = drawn;
          const layout = layoutOf({ ...rest, segments: fixedRateSizes(cot, rate) });
          const found = await inspect(kind, drawn);
          expect(found.roles).toEqual(roles(layout));
          expect(found.positions).toEqual([...positions(layout)]);
          expect(found.labels).toEqual([...labels(layout)]);
          const allows = maskRule(layout, mask as MaskName);
          const rows = found.roles.map((_, query) =>
            found.roles.map((_, key) => Number(allows(query, key))).join(''),
          );
          expect(found.mask).toEqual(rows);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('draws the mask, as text and as SVG', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'inspect-')), 'mask.svg');
    const { code, out } = await latentSft(['inspect', '--kind', 'decoder', '--svg', file]);
    expect(code).toBe(0);
    const layout = decoderLayout({ prompt: 3, think: 1, segments: [2, 2, 1], end: 1, answer: 2 });
    expect(out).toBe(drawText(layout, 'ltsum'));
    expect(readFileSync(file, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });
});

interface Golden {
  readonly name: string;
  readonly r: number;
  readonly enc_ids: number[];
  readonly dec_ids: number[];
  readonly labels: number[];
  readonly pos_dual: number[];
  readonly ltim: string[];
  readonly ltsum: string[];
  readonly latent_index: number[];
  readonly stage2_ids: number[];
  readonly stage2_labels: number[];
}

const COMPRESS = 9;
const golden = new URL('../../../../shared/golden/layouts.jsonl', import.meta.url);

describe.skipIf(!existsSync(golden))("layouts of the authors' code (skipped without shared/golden)", () => {
  const lines = existsSync(golden) ? readFileSync(golden, 'utf8').trim().split('\n') : [];

  it('are six', () => expect(lines).toHaveLength(6));

  for (const line of lines) {
    const given = JSON.parse(line) as Golden;
    it(given.name, async () => {
      const sizes = sizesOf(given);
      // padding is the batch's business, not the layout's
      const rows = given.dec_ids.filter((id) => id !== 0).length;
      const ltsum = given.ltsum.slice(0, rows).map((row) => row.slice(0, rows));
      const marks = (ids: readonly number[]) => ids.map((id) => Number(id !== -100));
      const encoder = await inspect('encoder', sizes);
      expect(encoder.mask).toEqual(given.ltim);
      const decoder = await inspect('decoder', sizes);
      expect(decoder.mask).toEqual(ltsum);
      expect(decoder.positions).toEqual(given.pos_dual.slice(0, rows));
      expect(decoder.labels).toEqual(marks(given.labels.slice(0, rows)));
      const student = await inspect('student', sizes);
      expect(student.labels).toEqual(marks(given.stage2_labels));
      expect(student.roles).toHaveLength(given.stage2_ids.length);
    });
  }
});

/** Question and think marker are one head in the golden file, as are end marker and padding: masks see no difference. */
function sizesOf({ enc_ids, stage2_labels, latent_index, r }: Golden): Sizes {
  const head = latent_index[0]!;
  const end = enc_ids.length - enc_ids.lastIndexOf(COMPRESS) - 1;
  const cot = enc_ids.slice(head, -end).filter((id) => id !== COMPRESS).length;
  const targets = stage2_labels.filter((label) => label !== -100).length;
  return { prompt: head - 1, think: 1, cot, end, answer: targets - end, rate: r };
}
