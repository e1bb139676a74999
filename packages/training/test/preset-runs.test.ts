import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  evaluateAnswerer,
  loadAnswerer,
  loadRunData,
  PRESETS,
  parseRecipe,
  type RecipeInput,
  runRecipe,
} from '../src/index.js';
import { writeTinyPretrained } from './tiny-pretrained.js';
import { tinyRecipe } from './tiny-recipe.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'preset-runs-'));
  writeTinyPretrained(join(folder, 'base'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const step = { steps: 1, batch: 4 };
const stages = { cot: step, union: step, student: { ...step, steps: 3 } };

describe.each(PRESETS)('preset %s', (preset) => {
  it.each(['fresh', 'pretrained'] as const)(
    'runs through every stage on a %s model, to answers',
    async (source) => {
      const model: RecipeInput['model'] =
        source === 'fresh' ? tinyRecipe.model : { source, from: join(folder, 'base') };
      const recipe = parseRecipe({
        ...tinyRecipe,
        name: `${preset}-${source}`,
        preset,
        data: { source: 'modular-arithmetic', operations: 2, train: 16, validation: 4, test: 4 },
        model,
        latent: { maxLatents: 4 },
        stages,
        evaluation: { validationItems: 2, maxTokens: 4 },
      });
      const before = countTensors();
      const run = join(folder, recipe.name);
      await runRecipe(recipe, run);
      const answerer = await loadAnswerer(run, 'latent');
      const { report } = evaluateAnswerer(answerer, (await loadRunData(recipe)).test);
      expect(report.items).toBe(4);
      answerer.dispose();
      expect(countTensors()).toBe(before);
    },
  );
});
