import { modularArithmetic, tokenizeRecord, wordTokenizer } from '@latent-sft/data';
import { disposeParameters, initialWeights, parametersFrom } from '@latent-sft/model';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, describe, expect, it } from 'vitest';
import { freshModelConfig, type StageContext, softLabels, studentStage } from '../src/index.js';
import { tinyRecipe, tinyWith } from './tiny-recipe.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const task = modularArithmetic({ operations: 2 });
const tokenizer = wordTokenizer(task.vocabulary);
const records = task.generate(24, 3);

/** A run with top-3 latents whose student has one kind of KL. */
function contextFor(klSupport: 'sparse' | 'sparse+tail', noiseScale = 0): StageContext {
  const recipe = tinyWith({
    latent: { support: 3, temperature: 2 },
    stages: {
      ...tinyRecipe.stages,
      student: {
        steps: 2,
        batch: 8,
        schedule: ['kl'],
        klSupport,
        noise: { variant: 'plain', scale: noiseScale },
      },
    },
  });
  const train = records.map((record) => tokenizeRecord(record, tokenizer, recipe.segmenter));
  if (recipe.model.source !== 'fresh') throw new Error('expected a fresh model');
  const config = freshModelConfig(recipe.model, tokenizer.vocabulary.length);
  return { recipe, config, tokenizer, base: null, train, validation: train, validationRecords: records };
}

const before = countTensors();
const { config, train } = contextFor('sparse');
const encoder = parametersFrom(initialWeights(config, 1, { deviation: 0.3 }));
const student = initialWeights(config, 2, { deviation: 0.3 });
const decoder = parametersFrom(student);
const labels = softLabels(contextFor('sparse'), { encoder, decoder }, train);
const source = { train: (i: number) => labels[i]!, validation: (i: number) => labels[i]! };
afterAll(() => {
  disposeParameters(encoder);
  disposeParameters(decoder);
  expect(countTensors()).toBe(before);
});

function firstLoss(context: StageContext): { loss: number; warnings: readonly string[] } {
  const work = studentStage(context, student, source);
  const step = work.prepare(0);
  const { loss } = work.vector.descend(step.losses, 1, 1e-3, work.optimiser);
  step.dispose();
  work.vector.dispose();
  return { loss, warnings: step.warnings ?? [] };
}

describe('top-k labels', () => {
  it("are the teacher's own probabilities: what is left of 1 is the tail", () => {
    for (const { alphas } of labels) {
      for (let row = 0; row < alphas.length; row += 3) {
        const mass = alphas[row]! + alphas[row + 1]! + alphas[row + 2]!;
        expect(mass).toBeGreaterThan(0.05);
        expect(mass).toBeLessThan(0.95);
      }
    }
  });

  it('give another loss with the tail bucket than without, also under noise', () => {
    for (const scale of [0, 0.5]) {
      const sparse = firstLoss(contextFor('sparse', scale)).loss;
      const withTail = firstLoss(contextFor('sparse+tail', scale)).loss;
      expect(Math.abs(sparse - withTail)).toBeGreaterThan(0.05 * sparse);
    }
  });

  it('that noise lets the end marker lead are used with a warning', () => {
    const end = tokenizer.special.end[0]!;
    const led = labels.map(({ alphas, ids }) => ({
      alphas: alphas.map((_, i) => (i % 3 === 0 ? 1 : 1e-30)),
      ids: ids!.map((id, i) => (i % 3 === 0 ? end : id)),
    }));
    const context = contextFor('sparse', 0.01);
    const work = studentStage(context, student, { train: (i) => led[i]!, validation: (i) => led[i]! });
    const step = work.prepare(0);
    expect(step.warnings).toHaveLength(8);
    expect(step.warnings![0]).toMatch(/keeps the end marker from leading a label, got none in 100 draws/);
    step.dispose();
    work.vector.dispose();
  });
});
