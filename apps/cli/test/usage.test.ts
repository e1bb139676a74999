import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { latentSft, sentenceOf } from './command-line.js';
import { TINY_RECIPE, temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const recipe = write(folder, 'tiny.yaml', TINY_RECIPE);

describe('usage', () => {
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['an unknown command', ['trian'], "unknown command 'trian' (Did you mean train?)"],
    ['an unknown option', ['train', '--recip', 'x'], "unknown option '--recip' (Did you mean --recipe?)"],
    ['a missing option', ['train'], 'expected --recipe <file>'],
    [
      'an unknown stage',
      ['eval', '--run', folder, '--stage', 'cto'],
      "'cto' is invalid: Allowed choices are",
    ],
    [
      'a word too much',
      ['doctor', 'who'],
      "too many arguments for 'doctor': Expected 0 arguments but got 1.",
    ],
    [
      'a rate of 0',
      ['inspect', '--kind', 'encoder', '--rate', '0'],
      'expected a whole number from 1 on, got 0',
    ],
    ['no thread', ['doctor', '--threads', '0'], 'expected a whole number from 1 on, got 0'],
    [
      'an unknown precision',
      ['doctor', '--precision', 'half'],
      "'half' is invalid: Allowed choices are float32, bf",
    ],
    [
      'an empty chain',
      ['inspect', '--kind', 'encoder', '--cot', '0'],
      'expected at least one segment, got none',
    ],
    [
      'a key that no recipe has',
      ['train', '--recipe', recipe, '--set', 'stages.studnt.steps=1'],
      'expected only known keys in stages, got studnt (did you mean student?)',
    ],
    [
      'r = 0 in a recipe',
      ['train', '--recipe', recipe, '--set', 'segmenter.rate=0'],
      'at segmenter.rate: expected',
    ],
    [
      'a change without a value',
      ['train', '--recipe', recipe, '--set', 'seed'],
      'expected --set key=value, got seed',
    ],
    ['no recipe file', ['train', '--recipe', `${folder}/none.yaml`], 'none.yaml, got no such file'],
    [
      'an unknown preset',
      ['recipe', '--defaults', '--preset', 'paper-v3'],
      'expected --preset to be one of default, paper-v1, paper-v2, official-code, got paper-v3',
    ],
    ['a peer that is unknown', ['bench', '--peers', 'jax'], 'expected a peer of latent-sft, bfloat16'],
    [
      'a bench in another precision than its peers',
      ['bench', '--precision', 'bfloat16-products'],
      'expected --precision float32, as peers compute in it',
    ],
    ['a recipe command without a wish', ['recipe'], 'expected recipe with --schema or --defaults'],
  ];
  for (const [name, words, sentence] of refused) {
    it(`refuses ${name} in one sentence, with exit code 2`, async () => {
      const outcome = await latentSft(words);
      expect(sentenceOf(outcome)).toContain(sentence);
      expect(outcome).toMatchObject({ code: 2, out: '' });
    });
  }

  it('refuses a recipe that is no YAML, naming the line', async () => {
    const file = write(folder, 'broken.yaml', 'name: x\ndata: {source: [}\n');
    const outcome = await latentSft(['train', '--recipe', file]);
    expect(sentenceOf(outcome)).toMatch(/expected YAML in .*broken\.yaml, got something else: .* at line 2/);
    expect(outcome.code).toBe(2);
  });

  it('shows a stack only when asked', async () => {
    const words = ['train', '--recipe', recipe, '--set', 'seed=-1'];
    expect((await latentSft(words)).err).not.toMatch(/\n\s+at /);
    expect((await latentSft([...words, '--verbose'])).err).toMatch(/\n\s+at /);
  });

  it('shows help on nothing, and its version', async () => {
    const help = await latentSft([]);
    expect(help.code).toBe(2);
    expect(help.err).toContain('Usage: latent-sft');
    expect(await latentSft(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    const forTrain = await latentSft(['help', 'train']);
    expect(forTrain).toMatchObject({ code: 0, out: expect.stringContaining('--set <key=value...>') });
  });

  it('prints a JSON Schema and resolved recipes; a change keeps its neighbours', async () => {
    const schema = JSON.parse((await latentSft(['recipe', '--schema'])).out) as { properties: object };
    expect(Object.keys(schema.properties)).toContain('stages');
    const words = [
      'recipe',
      '--defaults',
      '--recipe',
      recipe,
      '--json',
      '--set',
      'latent.noise.scale=0.3',
      'seed=7',
    ];
    expect(JSON.parse((await latentSft(words)).out)).toMatchObject({
      seed: 7,
      latent: { noise: { variant: 'plain', scale: 0.3 }, maxLatents: 6 },
      segmenter: { by: 'rate', rate: 2 },
    });
  });

  it('prints a preset, alone or under a recipe', async () => {
    const alone = await latentSft(['recipe', '--defaults', '--preset', 'official-code', '--json']);
    expect(JSON.parse(alone.out)).toMatchObject({ preset: 'official-code', latent: { support: 10 } });
    const changes = ['--set', 'preset=official-code', 'latent.noise.scale=0.3'];
    const under = await latentSft(['recipe', '--defaults', '--recipe', recipe, '--json', ...changes]);
    expect(JSON.parse(under.out)).toMatchObject({
      preset: 'official-code',
      latent: { support: 10, readout: 'input-table', noise: { scale: 0.3 } },
      stages: { student: { noise: { variant: 'clamped' } } },
    });
  });

  it('ships a demo recipe that is valid', async () => {
    const { code, out } = await latentSft(['recipe', '--defaults']);
    expect(code).toBe(0);
    expect(out).toContain('name: demo\n');
  });
});
