import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordsDigest } from '@latent-sft/data';
import { wilsonInterval } from '@latent-sft/metrics';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  evaluateAnswerer,
  loadAnswerer,
  loadRunData,
  type Recipe,
  readEvents,
  runRecipe,
  StoppedError,
  stageStatus,
  stagesOf,
  verifyManifest,
} from '../src/index.js';
import { tinyRecipe, tinyWith } from './tiny-recipe.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const STAGES = ['no-cot', 'cot', 'encoder', 'decoder', 'union', 'labels', 'student'];
const recipe = tinyWith({});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-recipe-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a recipe; gives what was done with each stage. */
async function run(of: Recipe, name: string, stopAt?: { readonly stage: string; readonly step: number }) {
  const done: Record<string, string[]> = {};
  const controller = new AbortController();
  const observer = {
    onStage: (stage: string, action: string) => {
      done[stage] = [...(done[stage] ?? []), action];
    },
    onStep: ({ stage, step }: { stage: string; step: number }) => {
      if (stage === stopAt?.stage && step === stopAt.step) controller.abort();
    },
  };
  try {
    await runRecipe(of, join(folder, name), { observer, signal: controller.signal });
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
  }
  return done;
}

/** Every file of a run's stages, as text of its bytes. */
function filesOf(name: string): Record<string, string> {
  const stages = join(folder, name, 'stages');
  const files = readdirSync(stages, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map(({ parentPath, name: file }) => join(parentPath, file))
      .sort()
      .map((file) => [file.slice(stages.length + 1), readFileSync(file).toString('base64')]),
  );
}

const every = (actions: string[]) => Object.fromEntries(STAGES.map((stage) => [stage, actions]));

describe('runRecipe', () => {
  it('makes every stage, skips them all the second time, and leaves no tensor behind', async () => {
    const before = countTensors();
    expect(await run(recipe, 'whole')).toEqual(every(['start', 'done']));
    for (const stage of stagesOf(recipe)) {
      expect(stageStatus(join(folder, 'whole'), stage)).toBe('finished');
      verifyManifest(join(folder, 'whole', 'stages', stage));
    }
    const files = filesOf('whole');
    expect(await run(recipe, 'whole')).toEqual(every(['skip']));
    expect(filesOf('whole')).toEqual(files);
    expect(countTensors()).toBe(before);
  });

  it('writes down what happened, with finite numbers', async () => {
    const events = readEvents(join(folder, 'whole', 'events.jsonl'));
    const finished = events.filter(({ type }) => type === 'stage-done').map(({ stage }) => stage);
    expect(finished).toEqual(STAGES);
    expect(events.find(({ type }) => type === 'data')).toMatchObject({ train: 48, validation: 12, test: 12 });
    for (const event of events.filter(({ type }) => type === 'stage-done')) {
      const { seconds, stepSeconds, tokens, flops, validationFlops } = event as Record<string, number>;
      expect(seconds).toBeGreaterThan(stepSeconds!);
      expect(Math.min(stepSeconds!, tokens!)).toBeGreaterThan(0);
      // a token goes at least once through the 256 weights that make keys and values of the only layer
      expect(flops).toBeGreaterThan(2 * 256 * tokens!);
      expect(validationFlops! > 0).toBe(event.stage !== 'labels');
    }
    // Stage 2 descends KL and cross-entropy in turn; its steps are logged when they are validated.
    const student = events.filter(({ type, stage }) => type === 'step' && stage === 'student');
    expect(student.map(({ step }) => step)).toEqual([2, 4, 6]);
    expect(student.every(({ ce }) => Number(ce) > 0)).toBe(true);
  });

  it.each(['no-cot', 'cot', 'latent'] as const)('gives a stage that answers: %s', async (stage) => {
    const before = countTensors();
    const { test } = await loadRunData(recipe);
    const answerer = await loadAnswerer(join(folder, 'whole'), stage);
    const { report, answered } = evaluateAnswerer(answerer, test);
    answerer.dispose();
    expect(countTensors()).toBe(before);
    const correct = answered.filter((one) => one.correct).length;
    expect(report).toMatchObject({ items: 12, correct, passAt1: correct / 12, sha256: recordsDigest(test) });
    expect(report.interval95).toEqual(wilsonInterval(correct, 12));
    for (const { record, answer, correct: right } of answered) expect(right).toBe(answer === record.answer);
    const counts = answered.map(({ generation }) => generation.latentCount);
    expect(report.meanLatents).toBeCloseTo(counts.reduce((sum, count) => sum + count, 0) / 12);
    if (stage !== 'latent') expect(report.meanLatents).toBe(0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  });

  it('ends with the same bytes when it is stopped in the middle of stages', async () => {
    const before = countTensors();
    for (const [stage, step] of [
      ['cot', 4],
      ['decoder', 2],
      ['student', 2],
    ] as const) {
      expect((await run(recipe, 'stopped', { stage, step }))[stage]).not.toContain('done');
      expect(stageStatus(join(folder, 'stopped'), stage)).toBe('partial');
    }
    const last = await run(recipe, 'stopped');
    expect(last.student).toEqual(['resume', 'done']);
    expect(filesOf('stopped')).toEqual(filesOf('whole'));
    expect(countTensors()).toBe(before);
  });

  it('makes a stage and all that stand on it anew when its settings change, and no others', async () => {
    const { stages } = tinyRecipe;
    const changed = tinyWith({
      stages: { ...stages, decoder: { ...stages?.decoder, learningRate: 5e-4 } },
    });
    await expect(run(changed, 'stopped')).rejects.toThrow('stages.decoder.learningRate');
    // Somebody edits the recipe where it lies.
    writeFileSync(join(folder, 'stopped', 'recipe.yaml'), stringify(changed));
    const done = await run(changed, 'stopped');
    for (const stage of ['no-cot', 'cot', 'encoder']) expect(done[stage]).toEqual(['skip']);
    for (const stage of ['decoder', 'union', 'labels', 'student']) {
      expect(done[stage]).toEqual(['start', 'done']);
    }
    const [then, now] = [filesOf('whole'), filesOf('stopped')];
    expect(now['student/model.safetensors']).not.toBe(then['student/model.safetensors']);
    expect(now['encoder/models.safetensors']).toBe(then['encoder/models.safetensors']);
  });

  it.each([
    [
      'top-k mixtures, sparse labels with a tail, tables of their own',
      {
        model: { ...tinyRecipe.model, tiedEmbeddings: false },
        latent: {
          maxLatents: 4,
          support: 3,
          readout: 'lm-head',
          temperature: 1,
          noise: { variant: 'clamped' },
        },
        stages: {
          ...tinyRecipe.stages,
          student: {
            ...tinyRecipe.stages?.student,
            klSupport: 'sparse+tail',
            schedule: 'joint',
            noise: { variant: 'clamped', scale: 1 },
          },
        },
      },
    ],
    [
      'strict suffixes, single positions, segments by step',
      {
        segmenter: { by: 'step' },
        masks: { positions: 'single', segmentContext: 'latent+prompt', answerSeesLastLatent: false },
        stages: {
          ...tinyRecipe.stages,
          union: { ...tinyRecipe.stages?.union, supervision: 'strict-suffix' },
        },
      },
    ],
    [
      'plain causal masks, the end marker in mixtures, noise in the head',
      {
        masks: { encoder: 'causal', decoder: 'causal' },
        latent: {
          maxLatents: 4,
          endMarkerInMixtures: true,
          readout: 'input-table',
          noise: { variant: 'one-sided', scale: 0.5 },
        },
        stages: {
          ...tinyRecipe.stages,
          encoder: { steps: 0 },
          decoder: { steps: 0 },
          union: { ...tinyRecipe.stages?.union, supervision: 'suffix-mean' },
          student: { ...tinyRecipe.stages?.student, schedule: ['kl'] },
        },
      },
    ],
  ] as const)('runs with other settings: %s', async (title, changes) => {
    const before = countTensors();
    const other = tinyWith(changes as Partial<typeof tinyRecipe>);
    const done = await run(other, title);
    for (const stage of stagesOf(other)) expect(done[stage]).toEqual(['start', 'done']);
    const answerer = await loadAnswerer(join(folder, title), 'latent');
    expect(evaluateAnswerer(answerer, (await loadRunData(other)).test).report.items).toBe(12);
    answerer.dispose();
    expect(countTensors()).toBe(before);
  });
});
