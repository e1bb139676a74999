import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { latentSft, sentenceOf } from './command-line.js';

const shared = fileURLToPath(new URL('../../../../shared/', import.meta.url));
const model = `${shared}models/stories260K/stories260K.bin`;
const golden = `${shared}golden/stories260K-nll.json`;

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

  it('says what is wrong with ids and models', async () => {
    const badIds = await latentSft(['score', '--model', 'nowhere', '--ids', '1,x']);
    expect(sentenceOf(badIds)).toContain('expected whole numbers with commas, got "x" at place 2');
    const noModel = await latentSft(['score', '--model', 'nowhere', '--ids', '1,2']);
    expect(sentenceOf(noModel)).toContain(
      'expected a model folder or a llama2.c file, got nothing at nowhere',
    );
    expect([badIds.code, noModel.code]).toEqual([2, 2]);
  });
});
