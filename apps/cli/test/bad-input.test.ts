import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modularArithmetic } from '@latent-sft/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../tools/testing/small-disk.js';
import { latentSft, type Outcome, sentenceOf } from './command-line.js';
import { studentDigest, TINY_RECIPE, temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
const recipe = write(folder, 'tiny.yaml', TINY_RECIPE);
const whole = join(folder, 'whole');
let student: string;

const train = (run: string, set: readonly string[] = [], file = recipe) =>
  latentSft(['train', '--recipe', file, '--run', run, ...set.flatMap((change) => ['--set', change])]);

/** A copy of the finished run. */
function copyOfWhole(name: string): string {
  const run = join(folder, name);
  cpSync(whole, run, { recursive: true });
  return run;
}

/** Trains a fresh run and stops it as Ctrl-C does, once its notes match. */
async function stoppedRun(name: string, when: RegExp): Promise<string> {
  const run = join(folder, name);
  let sent = false;
  const stopped = await latentSft(['train', '--recipe', recipe, '--run', run], (text) => {
    if (sent || !when.test(text)) return;
    sent = true;
    process.emit('SIGINT');
  });
  expect(stopped.code).toBe(130);
  return run;
}

function flipBit(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(file, bytes);
}

function cutShort(file: string): void {
  truncateSync(file, readFileSync(file).length - 5);
}

/** One sentence on standard error, nothing on standard output, and a code that is not 0. */
function expectRefusal(outcome: Outcome, ...parts: (string | RegExp)[]): void {
  const sentence = sentenceOf(outcome);
  for (const part of parts) expect(sentence).toMatch(part);
  expect(outcome.out).toBe('');
  expect(outcome.code).toBeGreaterThan(0);
}

/** The run goes on with the same command and ends as if nothing had been. */
async function expectUsable(run: string): Promise<void> {
  expect(await train(run)).toMatchObject({ code: 0 });
  expect(studentDigest(run)).toBe(student);
}

beforeAll(async () => {
  expect(await train(whole)).toMatchObject({ code: 0 });
  student = studentDigest(whole);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('files of questions', () => {
  const written = (name: string, changed: Record<number, string>, seed = 3) => {
    const rows = modularArithmetic({ operations: 2 }).generate(300, seed);
    const lines = rows.map((record, i) => changed[i + 1] ?? JSON.stringify(record));
    return write(folder, name, lines.join('\n'));
  };
  const recipeOf = (file: string) =>
    write(
      folder,
      'files.yaml',
      `name: files\ndata: { source: files, format: jsonl, train: ${file}, validation: 5 }\n` +
        'model: { width: 16, layers: 1, heads: 2, feedForwardWidth: 32 }\n' +
        'stages: { cot: { steps: 2, batch: 4 } }\nevaluation: { maxTokens: 4 }\n',
    );
  const bad = [
    [
      'a missing file',
      () => join(folder, 'none.jsonl'),
      /expected a file at .*none\.jsonl, got no such file/,
    ],
    [
      'wrong JSON on line 7',
      () => written('json.jsonl', { 7: '{"question": ' }),
      /expected JSON on line 7 of .*json\.jsonl/,
    ],
  ] as const;
  for (const [name, file, sentence] of bad) {
    it(`${name}: eval and train refuse it`, async () => {
      const evaluated = await latentSft(['eval', '--run', whole, '--data', file()]);
      expectRefusal(evaluated, sentence);
      const trained = await train(join(folder, 'files'), [], recipeOf(file()));
      expectRefusal(trained, sentence);
      expect([evaluated.code, trained.code]).toEqual([2, 2]);
    });
  }

  it('an empty chain: train refuses it, and takes the mended file', async () => {
    const empty = written('empty.jsonl', { 4: '{"question": "1 +1 -1 ?", "steps": [], "answer": "1"}' });
    const refused = await train(join(folder, 'files'), [], recipeOf(empty));
    expectRefusal(
      refused,
      /expected a chain with at least one step on line 4 of .*empty\.jsonl, got an empty chain/,
    );
    expect(refused.code).toBe(2);
    const mended = await train(join(folder, 'files'), [], recipeOf(written('empty.jsonl', {})));
    expect(mended.code).toBe(0);
  });

  it('a token outside the vocabulary: eval, generate and train name it', async () => {
    const strange = written(
      'strange.jsonl',
      { 2: '{"question": "zebra +1 ?", "steps": ["+1 1"], "answer": "1"}' },
      4,
    );
    const outside = /expected a word of the vocabulary \(\d+ words\), got "zebra"/;
    const evaluated = await latentSft(['eval', '--run', whole, '--data', strange]);
    expectRefusal(evaluated, outside);
    const generated = await latentSft(['generate', '--run', whole, '--question', 'zebra +1 ?']);
    expectRefusal(generated, outside);
    const settings = [`data.validation=${strange}`];
    const trained = await train(join(folder, 'strange'), settings, recipeOf(written('good.jsonl', {})));
    expectRefusal(trained, outside);
    expect([evaluated.code, generated.code, trained.code]).toEqual([2, 2, 2]);
  });
});

describe('recipes', () => {
  it('an unknown key or r = 0 leave the run as it was', async () => {
    const run = copyOfWhole('settings');
    expectRefusal(await train(run, ['latent.temprature=1']), 'got temprature (did you mean temperature?)');
    expectRefusal(await train(run, ['segmenter.rate=0']), /at segmenter\.rate: expected .*, got 0/);
    await expectUsable(run);
  });

  it('a learning rate that makes the loss NaN ends the stage; a lower one trains, and what was made still answers', async () => {
    const run = join(folder, 'nan');
    const outcome = await train(run, ['stages.cot.learningRate=1e30']);
    expectRefusal(
      outcome,
      /expected a finite loss and gradient at step \d, got .*NaN of stage cot; take a lower/,
    );
    expect(outcome.code).toBe(1);
    expect(await latentSft(['eval', '--run', run, '--stage', 'no-cot'])).toMatchObject({ code: 0 });
    expectRefusal(await train(run), 'got another stages.cot.learningRate');
    await expectUsable(join(folder, 'not-nan'));
  });
});

describe('damaged files', { timeout: 120_000 }, () => {
  const damages = [
    ['cut short', cutShort, 'it was cut short'],
    ['with a flipped bit', flipBit, 'its content was changed'],
  ] as const;
  const files = [
    ['weights', 'stages/cot', 'model.safetensors'],
    ['weights of stage 1', 'stages/union', 'models.safetensors'],
    ['soft labels', 'stages/labels', 'alphas.bin'],
    ['offsets of soft labels', 'stages/labels', 'offsets.bin'],
  ] as const;
  for (const [how, damage, sentence] of damages) {
    for (const [what, stage, file] of files) {
      it(`${what} ${how}: train says so and what to remove, and then goes on`, async () => {
        const run = copyOfWhole(`damaged-${file}-${damage.name}`);
        damage(join(run, stage, file));
        expectRefusal(await train(run), file, sentence, `remove ${join(run, stage)} to have it made anew`);
        rmSync(join(run, stage), { recursive: true });
        await expectUsable(run);
      });
    }

    it(`the student's weights ${how}: eval and score say so`, async () => {
      const run = copyOfWhole(`student-${damage.name}`);
      damage(join(run, 'stages/student/model.safetensors'));
      const outcome = await latentSft(['eval', '--run', run]);
      expectRefusal(outcome, 'model.safetensors', sentence);
      expect(outcome.code).toBe(2);
      await expect(latentSft(['eval', '--run', run, '--stage', 'cot'])).resolves.toMatchObject({ code: 0 });
    });

    it(`the newest checkpoint ${how}: train warns and goes on from the one before`, async () => {
      const run = await stoppedRun(`newest-${damage.name}`, / union 6\/8/);
      damage(join(run, 'stages/union/checkpoints/step-000000006/tensors.safetensors'));
      const outcome = await train(run);
      expect(outcome.err).toMatch(new RegExp(`warning: expected .*${sentence}; going on from an older one`));
      await expectUsable(run);
    });

    it(`every checkpoint ${how}: train says so and what to remove, and then goes on`, async () => {
      const run = await stoppedRun(`every-${damage.name}`, / union 6\/8/);
      const checkpoints = join(run, 'stages/union/checkpoints');
      for (const step of [4, 6]) damage(join(checkpoints, `step-00000000${step}`, 'tensors.safetensors'));
      expectRefusal(
        await train(run),
        'tensors.safetensors',
        sentence,
        `remove ${checkpoints} to have it made`,
      );
      rmSync(checkpoints, { recursive: true });
      await expectUsable(run);
    });
  }
});

describe('labels of another run', { timeout: 120_000 }, () => {
  const others = [
    ['r', ['segmenter.rate=1'], /segmentation \(the rate r\) 2 in .*, got 1/],
    ['k', ['latent.support=5', 'stages.student.klSupport=sparse'], /labels with k \d+ in .*, got 5/],
    ['tokenizer', ['tokenizer=characters'], /labels with \w+ \w+ in .*, got \w+/],
  ] as const;
  for (const [name, settings, sentence] of others) {
    it(`with another ${name} are refused; without them the run goes on`, async () => {
      const other = join(folder, `other-${name}`);
      expect(await train(other, [...settings])).toMatchObject({ code: 0 });
      const run = copyOfWhole(`foreign-${name}`);
      const labels = join(run, 'stages/labels');
      rmSync(labels, { recursive: true });
      renameSync(join(other, 'stages/labels'), labels);
      expectRefusal(await train(run), sentence, `remove ${labels} to have it made anew`);
      rmSync(labels, { recursive: true });
      await expectUsable(run);
    });
  }
});

describe('a full disk', () => {
  const disk = mountSmallDisk();
  afterAll(() => disk?.remove());
  it.skipIf(!disk)('ends training in one sentence; with room again it goes on', async () => {
    const run = join(disk!.folder, 'run');
    const filler = write(disk!.folder, 'filler', 'x'.repeat(900_000));
    expectRefusal(await train(run), /no space|ENOSPC|disk/i);
    rmSync(filler);
    await expectUsable(run);
  });
});
