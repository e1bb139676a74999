import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { selectEngine } from '@latent-sft/tensorflow';
import { describe, expect, it } from 'vitest';
import { disposeParameters, loadModelFolder, parametersFrom, saveModelFolder } from '../src/index.js';
import { engines } from './engines.js';
import { logitsOf, maxDifference } from './logits.js';
import { tinyConfigs, tinyWeights } from './tiny-model.js';
import { pythonWithTransformers, TRANSFORMERS_TIMEOUT_MS, transformersLogits } from './transformers.js';

if (!pythonWithTransformers) {
  console.warn('no Python with torch and transformers (LATENT_SFT_PYTHON, python3): its tests are skipped');
}

const fixture = (name: string) => {
  const folder = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  return { name, ...loadModelFolder(folder) };
};

describe.skipIf(!pythonWithTransformers)('what we save, opened by transformers', () => {
  it(
    'has the same logits, every tensor in its place',
    async () => {
      await selectEngine(engines.at(-1)!);
      const root = mkdtempSync(join(tmpdir(), 'latent-sft-transformers-'));
      const models = [
        ...['llama', 'llama3', 'qwen2', 'qwen3', 'gpt2'].map(fixture),
        ...tinyConfigs.map((config) => ({
          name: `tiny ${config.architecture}`,
          config,
          weights: tinyWeights(config),
        })),
      ].map((model, i) => ({ ...model, folder: join(root, `${i}`), ids: [3, 10, 0, 7, 7, 2] }));
      for (const { folder, config, weights } of models) saveModelFolder(folder, config, weights);
      const expected = transformersLogits(models);
      models.forEach(({ name, config, weights, ids }, i) => {
        const parameters = parametersFrom(weights);
        const difference = maxDifference(logitsOf(config, parameters, ids), expected[i]!);
        console.info(`${name}: logits within ${difference.toExponential(1)} of transformers`);
        expect(difference, name).toBeLessThan(1e-4);
        disposeParameters(parameters);
      });
      rmSync(root, { recursive: true });
    },
    TRANSFORMERS_TIMEOUT_MS,
  );
});
