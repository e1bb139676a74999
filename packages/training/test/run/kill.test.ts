import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadLatestCheckpoint } from '../../src/run/checkpoint.js';
import { readEvents } from '../../src/run/event-log.js';
import { readLabelManifest } from '../../src/run/label-manifest.js';
import { openLabelStore } from '../../src/run/label-store.js';
import { LabelWriter } from '../../src/run/label-writer.js';
import { openRun } from '../../src/run/run-folder.js';
import { checkpointOf, labelHeader, labelsOf, recipe } from './examples.js';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
  program = join(folder, 'write-until-killed.mjs');
  await build({
    config: false,
    silent: true,
    entry: [fileURLToPath(new URL('write-until-killed.ts', import.meta.url))],
    outDir: folder,
    format: ['esm'],
    outExtension: () => ({ js: '.mjs' }),
    noExternal: [/./],
    // yaml is CommonJS and asks for Node's own modules by require.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    // The engine is not needed to write files: leave it out of the bundle.
    esbuildPlugins: [
      {
        name: 'without-the-engine',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({
            path,
            external: true,
            sideEffects: false,
          })),
      },
    ],
    esbuildOptions: (options) => {
      options.conditions = ['@latent-sft/source'];
    },
  });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts a writer; returns it once it has told of `writes` writes. */
async function start(writes: number, ...parameters: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, ...parameters], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  let told = 0;
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (text: Buffer) => {
      told += text.toString().split('\n').length - 1;
      if (told >= writes) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the writer ended with ${code}`)));
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

const moments = [1, 9, 25];

describe('kill -9', { timeout: 180_000 }, () => {
  it('while appending events: the log keeps whole lines only, and the lock of the dead is taken over', async () => {
    const run = join(folder, 'events');
    let events = 0;
    for (const writes of moments) {
      const child = await start(writes, 'events', run, String(events));
      expect(() => openRun(run, recipe)).toThrow(`got process ${child.pid}, which is writing it`);
      await kill(child);
      openRun(run, recipe).close();
      const read = readEvents(join(run, 'events.jsonl'));
      expect(read.length).toBeGreaterThanOrEqual(events + writes);
      expect(read.map(({ step }) => step)).toEqual(read.map((_, index) => index));
      events = read.length;
    }
  });

  it('leaves a lock that only one of several processes takes over', async () => {
    const run = join(folder, 'race');
    await kill(await start(1, 'events', run, '0'));
    const racers = await Promise.allSettled([1, 2, 3, 4].map(() => start(1, 'events', run, '0')));
    expect(racers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(racers.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  });

  it('while saving checkpoints: the newest complete one loads', async () => {
    const checkpoints = join(folder, 'checkpoints');
    let step = 0;
    for (const writes of moments) {
      await kill(await start(writes, 'checkpoints', checkpoints, String(step)));
      const { warnings, ...loaded } = loadLatestCheckpoint(checkpoints)!;
      expect(warnings).toEqual([]);
      expect(loaded.step).toBeGreaterThanOrEqual(step + writes - 1);
      expect(loaded).toEqual(checkpointOf(loaded.step));
      step = loaded.step;
    }
  });

  it('while writing labels: the store goes on after the last complete chunk', async () => {
    const labels = join(folder, 'labels');
    let examples = 0;
    for (const writes of moments) {
      await kill(await start(writes, 'labels', labels));
      const writer = new LabelWriter(labels, labelHeader);
      expect(writer.nextExample).toBeGreaterThanOrEqual(examples + 3 * writes);
      expect(writer.nextExample % 3).toBe(0);
      examples = writer.nextExample;
      writer.close();
    }
    expect(() => openLabelStore(labels, {})).toThrow(`got only ${examples}`);
    // The same examples, written without a stop, give the same bytes.
    const header = { ...labelHeader, count: examples };
    const whole = new LabelWriter(join(folder, 'whole'), header);
    whole.append(Array.from({ length: examples }, (_, example) => labelsOf(example)));
    whole.close();
    const filesOf = (name: string) => {
      const manifest = readLabelManifest('test', join(folder, name));
      return [manifest.files, manifest.latents];
    };
    expect(filesOf('labels')).toEqual(filesOf('whole'));
  });
});
