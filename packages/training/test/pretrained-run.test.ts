import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAdapterFolder, loadModelFolder, readSafetensors } from '@latent-sft/model';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  evaluateAnswerer,
  loadAnswerer,
  loadRunData,
  parseRecipe,
  type Recipe,
  type RecipeInput,
  readEvents,
  runRecipe,
  StoppedError,
} from '../src/index.js';
import { pretrainedConfig, writeTinyPretrained } from './tiny-pretrained.js';
import { tinyRecipe } from './tiny-recipe.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pretrained-run-'));
  writeTinyPretrained(join(folder, 'base'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function pretrainedWith(changes: Partial<RecipeInput> = {}): Recipe {
  return parseRecipe({
    ...tinyRecipe,
    name: 'pretrained',
    model: { source: 'pretrained', from: join(folder, 'base') },
    tuning: { method: 'lora', rank: 2, alpha: 4 },
    prompt: { suffix: '\n' },
    latent: { support: 4, temperature: 1, maxLatents: 8 },
    ...changes,
  });
}

const place = (name: string) => join(folder, name);
const stageOf = (run: string, stage: string) => join(folder, run, 'stages', stage);

describe('a run on a pretrained model', () => {
  it('trains adapters through every stage, beside one base, and leaves no tensor behind', async () => {
    const before = countTensors();
    await runRecipe(pretrainedWith(), place('lora'));
    expect(countTensors()).toBe(before);
    for (const stage of ['no-cot', 'cot', 'student']) {
      const { adapter, settings } = loadAdapterFolder(stageOf('lora', stage));
      expect(settings).toMatchObject({ rank: 2, alpha: 4 });
      expect(adapter.size).toBe(2 * 7 * pretrainedConfig.layers);
      // B starts at zero, so that a map whose B is still zero did not learn
      for (const [name, { data }] of adapter) {
        expect([name, data.some((value) => value !== 0)]).toEqual([name, true]);
      }
    }
    const models = readSafetensors(join(stageOf('lora', 'union'), 'models.safetensors'));
    const query = models.get('encoder/latent_query.weight')!;
    const { weights } = loadModelFolder(place('base'));
    const table = weights.get('model.embed_tokens.weight')!.data;
    expect(query.shape).toEqual([1, pretrainedConfig.width]);
    expect([...query.data]).not.toEqual([...table.slice(-pretrainedConfig.width)]);
  });

  it('gives stages that answer, with the adapter merged', async () => {
    const before = countTensors();
    const { test } = await loadRunData(pretrainedWith());
    for (const stage of ['no-cot', 'cot', 'latent'] as const) {
      const answerer = await loadAnswerer(place('lora'), stage);
      expect(evaluateAnswerer(answerer, test).report.items).toBe(12);
      answerer.dispose();
    }
    expect(countTensors()).toBe(before);
  });

  it('refuses to answer beside another base than the one it was trained with', async () => {
    await runRecipe(pretrainedWith({ stages: { cot: { steps: 1, batch: 4 } } }), place('moved'));
    writeTinyPretrained(place('base'), 2);
    await expect(loadAnswerer(place('moved'), 'cot')).rejects.toThrow(
      'loadWhole: expected weights with SHA-256',
    );
    writeTinyPretrained(place('base'));
  });

  it('goes on after a stop to the same numbers', async () => {
    const stop = new AbortController();
    const stopped = runRecipe(pretrainedWith(), place('stopped'), {
      signal: stop.signal,
      observer: {
        onStep: ({ stage, step }) => {
          if (stage === 'union' && step === 2) stop.abort();
        },
      },
    });
    await expect(stopped).rejects.toThrow(StoppedError);
    await runRecipe(pretrainedWith(), place('stopped'));
    expect(loadAdapterFolder(stageOf('stopped', 'student'))).toEqual(
      loadAdapterFolder(stageOf('lora', 'student')),
    );
  });

  it('moves all its weights where no adapter is asked for, and starts stage 1 without a CoT stage', async () => {
    const before = countTensors();
    const stage = { steps: 2, batch: 4, validateEvery: 2 };
    const recipe = pretrainedWith({
      tuning: { method: 'full' },
      stages: { union: stage, student: stage },
    });
    await runRecipe(recipe, place('full'));
    expect(countTensors()).toBe(before);
    const { weights } = loadModelFolder(stageOf('full', 'student'));
    const base = loadModelFolder(place('base')).weights;
    for (const [name, { data }] of base) expect(weights.get(name)!.data).not.toEqual(data);
    const answerer = await loadAnswerer(place('full'), 'latent');
    expect(answerer.config).toEqual(pretrainedConfig);
    answerer.dispose();
  });

  it('trains an adapter on the input table too, and leaves no tensor behind', async () => {
    const before = countTensors();
    const stage = { steps: 2, batch: 4, validateEvery: 2 };
    const recipe = pretrainedWith({
      tuning: { method: 'lora', rank: 2, targets: ['v_proj', 'embed_tokens'] },
      checkpointing: true,
      stages: { cot: stage, union: stage, student: stage },
    });
    await runRecipe(recipe, place('table'));
    expect(countTensors()).toBe(before);
    const { adapter } = loadAdapterFolder(stageOf('table', 'student'));
    const raised = adapter.get('model.embed_tokens.lora_B.weight')!;
    expect(raised.shape).toEqual([pretrainedConfig.width, 2]);
    expect(raised.data.every((value) => value !== 0)).toBe(true);
  });

  it('gives the same student in parts of a batch, to rounding', async () => {
    const parts = { ...pretrainedWith().stages };
    for (const stage of ['cot', 'union', 'student'] as const) {
      Object.assign(parts, { [stage]: { ...parts[stage], microBatch: 3 } });
    }
    await runRecipe(pretrainedWith({ stages: parts }), place('parts'));
    const whole = loadAdapterFolder(stageOf('lora', 'cot')).adapter;
    for (const [name, { data }] of loadAdapterFolder(stageOf('parts', 'cot')).adapter) {
      data.forEach((value, i) => {
        expect(Math.abs(value - whole.get(name)!.data[i]!)).toBeLessThan(1e-3);
      });
    }
  });

  it('drops or cuts what is too long by the rule, and says so', async () => {
    const warnings: string[] = [];
    const observer = { onWarning: (sentence: string) => warnings.push(sentence) };
    const stages = { cot: { steps: 1, batch: 4 } };
    const { test } = await loadRunData(pretrainedWith());
    expect(test.length).toBe(12);
    await runRecipe(pretrainedWith({ stages, lengths: { maxTokens: 40, tooLong: 'cut' } }), place('cut'), {
      observer,
    });
    const data = readEvents(join(place('cut'), 'events.jsonl')).find(({ type }) => type === 'data');
    expect(Number(data!.cut) + Number(data!.dropped)).toBe(
      warnings
        .flatMap((text) => text.match(/\d+(?= (?:cut|dropped))/g) ?? [])
        .reduce((a, b) => a + Number(b), 0),
    );
    await expect(
      runRecipe(pretrainedWith({ stages, lengths: { maxTokens: 3, tooLong: 'drop' } }), place('none')),
    ).rejects.toThrow('expected training rows of at most 3 tokens, got none in 48');
  });

  it('names what is wrong with the base', async () => {
    const missing = pretrainedWith({ model: { source: 'pretrained', from: place('nowhere') } });
    await expect(loadRunData(missing)).rejects.toThrow('nowhere');
    writeTinyPretrained(place('broken'));
    writeFileSync(join(place('broken'), 'config.json'), '{"model_type":"mamba"}');
    expect(readdirSync(place('broken'))).toContain('tokenizer.json');
    const broken = pretrainedWith({ model: { source: 'pretrained', from: place('broken') } });
    await expect(runRecipe(broken, place('of-broken'))).rejects.toThrow('mamba');
  });
});
