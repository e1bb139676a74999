import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { studentDigest, TINY_RECIPE, temporaryFolder, write } from './tiny-run.js';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const recipe = write(folder, 'tiny.yaml', TINY_RECIPE);

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly err: string;
}

/** Runs the command line from source in a process of its own, which gets a signal once its notes match. */
function run(words: string[], stop?: { when: RegExp; signal: NodeJS.Signals }): Promise<Ended> {
  const node = [
    '--conditions=@latent-sft/source',
    '--import',
    path('from-source.mjs'),
    path('../src/main.ts'),
  ];
  const child = spawn(process.execPath, [...node, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FROM_SOURCE_CACHE: folder },
  });
  let err = '';
  let sent = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (!stop || sent || !stop.when.test(err)) return;
    sent = true;
    child.kill(stop.signal);
  });
  if (words.includes('--help')) child.stdout.destroy();
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, err })));
}

const train = (name: string) => ['train', '--threads', '1', '--recipe', recipe, '--run', join(folder, name)];

describe('a run that is stopped', { timeout: 240_000 }, () => {
  let whole: string;
  beforeAll(async () => {
    expect(await run(train('whole'))).toMatchObject({ code: 0 });
    whole = studentDigest(join(folder, 'whole'));
  }, 120_000);

  it('by kill -9 ends with the same weights, bit for bit', async () => {
    for (const when of [/ cot 4\/8/, / union 6\/8/, / labels /, / student 4\/8/]) {
      expect(await run(train('killed'), { when, signal: 'SIGKILL' })).toMatchObject({ signal: 'SIGKILL' });
    }
    const ended = await run(train('killed'));
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.err).toContain('student: going on from its last checkpoint');
    expect(studentDigest(join(folder, 'killed'))).toBe(whole);
  });

  it('by Ctrl-C saves its state, says how to go on, and ends with code 130', async () => {
    const stopped = await run(train('stopped'), { when: / cot 2\/8/, signal: 'SIGINT' });
    expect(stopped).toMatchObject({ code: 130, signal: null });
    expect(stopped.err).toMatch(/stopped cot at step \d; run the same command again to go on from there\n$/);
    expect(await run(train('stopped'))).toMatchObject({ code: 0 });
    expect(studentDigest(join(folder, 'stopped'))).toBe(whole);
  });
});

it('takes a reader that leaves early for no error', async () => {
  expect(await run(['train', '--help'])).toEqual({ code: 0, signal: null, err: '' });
});
