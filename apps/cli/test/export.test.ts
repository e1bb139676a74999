import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '@latent-sft/data';
import { loadModelFolder, saveModelFolder } from '@latent-sft/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyConfigs, tinyWeights } from '../../../packages/model/test/tiny-model.js';
import { writeTinyPretrained } from '../../../packages/training/test/tiny-pretrained.js';
import { mountSmallDisk } from '../../../tools/testing/small-disk.js';
import { latentSft, sentenceOf } from './command-line.js';
import { TINY_RECIPE, temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
const place = (name: string) => join(folder, name);
const base = place('base');
const exportBase = (out: string, ...words: string[]) =>
  latentSft(['export', '--model', base, '--out', out, ...words]);
const SMALL = ['no-cot', 'union', 'student'].flatMap((stage) => ['--set', `stages.${stage}.steps=0`]);

/** The command is refused in a sentence with code 2, and what was at the place is there as it was. */
async function refused(words: readonly string[], sentence: string | RegExp): Promise<void> {
  const outcome = await latentSft(words);
  expect(sentenceOf(outcome)).toMatch(sentence);
  expect(outcome.code).toBe(2);
  expect(outcome.out).toBe('');
}

beforeAll(async () => {
  writeTinyPretrained(base);
  const recipe = write(folder, 'tiny.yaml', TINY_RECIPE);
  const words = ['train', '--recipe', recipe, '--run', place('fresh'), ...SMALL];
  expect(await latentSft(words)).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('export', () => {
  it('writes a model of fresh weights with its tokenizer, which loads again', async () => {
    const out = place('of-fresh');
    const words = ['export', '--run', place('fresh'), '--stage', 'cot', '--out', out, '--json'];
    const { out: printed } = await latentSft(words);
    const { files } = JSON.parse(printed) as { files: { name: string }[] };
    const names = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    expect(files.map(({ name }) => name)).toEqual(names);
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({
      eos_token_id: 4,
      pad_token_id: 0,
    });
    const trained = loadModelFolder(join(place('fresh'), 'stages', 'cot'));
    expect(loadModelFolder(out)).toEqual(trained);
    expect((await loadTokenizer(out)).vocabulary).toHaveLength(trained.config.vocabularySize);
    const scored = await latentSft(['score', '--model', out, '--text', '3 +4 *7 ?']);
    expect(scored).toMatchObject({ code: 0 });
  });

  it('rounds to 16 bits where asked for', async () => {
    const whole = loadModelFolder(base).weights.get('model.norm.weight')!.data;
    for (const dtype of ['f16', 'bf16']) {
      expect(await exportBase(place(dtype), '--dtype', dtype)).toMatchObject({ code: 0 });
      const rounded = loadModelFolder(place(dtype)).weights.get('model.norm.weight')!.data;
      rounded.forEach((value, i) => {
        expect(Math.abs(value - whole[i]!)).toBeLessThan(2 ** -8);
      });
    }
  });

  it('replaces an earlier export as a whole, and nothing else', async () => {
    const out = place('again');
    mkdirSync(out);
    expect(await exportBase(out)).toMatchObject({ code: 0 });
    const words = ['export', '--model', base, '--out', out];
    await refused(
      words,
      /expected no folder or an empty one at .*again, got one with config\.json, .*--overwrite/,
    );
    expect(await exportBase(out, '--overwrite')).toMatchObject({ code: 0 });
    write(out, 'thesis.txt', 'mine');
    await refused([...words, '--overwrite'], /nothing but the files of an earlier export .* got thesis\.txt/);
    expect(readFileSync(join(out, 'thesis.txt'), 'utf8')).toBe('mine');
    expect(readdirSync(folder).filter((name) => /partial|replaced/.test(name))).toEqual([]);
  });

  it('refuses what is no folder or cannot be made', async () => {
    const file = write(folder, 'a-file', '');
    await refused(['export', '--model', base, '--out', file], 'expected a folder for --out, got the file');
    const within = join(file, 'out');
    await refused(
      ['export', '--model', base, '--out', within],
      /expected to make the folder .*, got E(NOTDIR|EXIST)/,
    );
  });

  it('leaves nothing behind after Ctrl-C', async () => {
    const out = place('stopped');
    const stopped = await latentSft(['export', '--model', base, '--out', out], (text) => {
      // once the writing began
      if (text.startsWith('writing')) setImmediate(() => process.emit('SIGINT'));
    });
    expect(sentenceOf(stopped)).toContain('nothing of it was kept');
    expect(stopped.code).toBe(130);
    expect([existsSync(out), existsSync(`${out}.partial`)]).toEqual([false, false]);
  });

  it.each([
    [['--out', 'x'], 'expected either --run <folder> or --model <reference>, got neither'],
    [['--model', 'x'], 'expected --out <folder>, got no such option'],
    [
      ['--model', 'x', '--run', 'y', '--out', 'z'],
      "'--model <reference>' cannot be used with option '--run <folder>'",
    ],
    [
      ['--model', 'x', '--adapter', '--out', 'z'],
      "'--model <reference>' cannot be used with option '--adapter'",
    ],
    [
      ['--run', 'x', '--adapter', '--dtype', 'f16', '--out', 'z'],
      "'--adapter' cannot be used with option '--dtype <name>'",
    ],
    [['--model', 'x', '--dtype', 'q4', '--out', 'z'], /--dtype.*'q4'.*f32, f16, bf16/],
    [['--model', 'nowhere', '--out', 'z'], 'expected an existing path, pypi:NAME or owner/name'],
    [['--run', 'nowhere', '--out', 'z'], 'expected a run folder with a recipe in'],
  ])('refuses %j', (words, sentence) => refused(['export', ...words], sentence));

  it('refuses stages that are not there, and adapters that are not, or have no place', async () => {
    const run = ['export', '--run', place('fresh'), '--out', place('never')];
    await refused(run, /expected stage student of .*fresh to be finished, got \w+/);
    await refused(
      [...run, '--stage', 'cot', '--adapter'],
      'expected a run with tuning.method lora for --adapter, got full',
    );
    expect(existsSync(place('never'))).toBe(false);
  });

  const disk = mountSmallDisk();
  afterAll(() => disk?.remove());
  it.skipIf(!disk)('ends in one sentence on a full disk, with nothing left', async () => {
    const filler = write(disk!.folder, 'filler', 'x'.repeat(1_020_000));
    const outcome = await exportBase(join(disk!.folder, 'out'));
    expect(sentenceOf(outcome)).toMatch(/full disk \(ENOSPC\)/);
    expect(outcome.code).toBe(1);
    expect(readdirSync(disk!.folder)).toEqual(['filler']);
    rmSync(filler);
    expect(await exportBase(join(disk!.folder, 'out'))).toMatchObject({ code: 0 });
  });
});

describe('the adapter of a model that PEFT has no place for', () => {
  const recipe = (from: string, targets: string) =>
    write(
      folder,
      'adapter.yaml',
      'name: adapter\n' +
        'data: { source: modular-arithmetic, operations: 2, train: 20, validation: 4, test: 4 }\n' +
        `model: { source: pretrained, from: ${from} }\n` +
        `tuning: { method: lora, rank: 2, targets: [${targets}] }\n` +
        'stages: { cot: { steps: 1, batch: 4 } }\nevaluation: { validationItems: 2, maxTokens: 4 }\n',
    );
  const trainAndExport = async (name: string, from: string, targets: string, sentence: RegExp) => {
    const words = ['train', '--recipe', recipe(from, targets), '--run', place(name)];
    expect(await latentSft(words)).toMatchObject({ code: 0 });
    const out = place(`${name}-out`);
    const exported = ['export', '--run', place(name), '--stage', 'cot', '--out', out];
    await refused([...exported, '--adapter'], sentence);
    expect(await latentSft(exported)).toMatchObject({ code: 0 });
    expect(loadModelFolder(out).config).toEqual(loadModelFolder(from).config);
  };

  it('is exported merged: gpt2', async () => {
    const gpt2 = place('gpt2');
    writeTinyPretrained(gpt2);
    const tiny = tinyConfigs.find(({ architecture }) => architecture === 'gpt2')!;
    const config = { ...tiny, vocabularySize: 97, maxPositions: 256 };
    saveModelFolder(gpt2, config, tinyWeights(config));
    await trainAndExport('of-gpt2', gpt2, 'q_proj', /query, key and value .* got gpt2; without --adapter/);
  });

  it('is exported merged: a tied table', async () => {
    await trainAndExport('of-table', base, 'embed_tokens', /on embed_tokens; without --adapter/);
  });
});
