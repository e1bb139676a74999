import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { saveCheckpoint } from '../../src/run/checkpoint.js';
import { canonicalJson, sha256 } from '../../src/run/digest.js';
import { verifyManifest } from '../../src/run/manifest.js';
import { openRun, readRecipe } from '../../src/run/run-folder.js';
import {
  checkpointFolder,
  finishStage,
  planStage,
  stageFolder,
  stageOutputs,
  stageStatus,
  startStage,
} from '../../src/run/stage.js';
import { checkpointOf, recipe } from './examples.js';

const top = mkdtempSync(join(tmpdir(), 'run-folder-'));
afterAll(() => rmSync(top, { recursive: true }));
let folder: string;
let folders = 0;
beforeEach(() => {
  folder = join(top, 'runs', String(folders++));
});

describe('run folder', () => {
  it('writes the recipe once and opens again', () => {
    openRun(folder, recipe).close();
    expect(readFileSync(join(folder, 'recipe.yaml'), 'utf8')).toBe(recipe);
    openRun(folder, `# a comment changes nothing\n${recipe}`).close();
    expect(readFileSync(join(folder, 'recipe.yaml'), 'utf8')).toBe(recipe);
    expect(readRecipe(folder)).toEqual({ name: 'demo', compression: 2, student: { steps: 400 } });
    expect(readdirSync(folder)).toEqual(['events.jsonl', 'recipe.yaml']);
  });

  it('names the keys of another recipe', () => {
    openRun(folder, recipe).close();
    const other = 'name: demo\ncompression: 4\nstudent:\n  steps: 500\n  seed: 1\n';
    const keys = 'compression (2, not 4), student.seed (absent, not 1), student.steps (400, not 500)';
    expect(() => openRun(folder, other)).toThrow(
      `expected the recipe of the run in ${folder}, got another ${keys}`,
    );
    openRun(folder, recipe).close(); // it holds no lock after the refusal
  });

  it('takes no folder that holds other things, and reads no run where there is none', () => {
    openRun(folder, recipe).close();
    rmSync(join(folder, 'recipe.yaml'));
    expect(() => openRun(folder, recipe)).toThrow(
      `expected an empty folder or a run in ${folder}, got events.jsonl`,
    );
    expect(() => readRecipe(folder)).toThrow('got ENOENT');
  });

  it('is written by one process at a time', () => {
    const run = openRun(folder, recipe);
    expect(() => openRun(folder, recipe)).toThrow(`got process ${process.pid}, which is writing it`);
    run.close();
    openRun(folder, recipe).close();
  });

  it.each([
    ['a dead process', JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: 'before' })],
    [
      'a process whose number was used again',
      JSON.stringify({ pid: process.pid, host: hostname(), started: 'before' }),
    ],
    ['nobody, as it is damaged', '{"pid":'],
  ])('takes over the lock of %s', (_, lock) => {
    openRun(folder, recipe).close();
    writeFileSync(join(folder, 'lock.json'), lock);
    const run = openRun(folder, recipe);
    expect(() => openRun(folder, recipe)).toThrow('which is writing it');
    run.close();
    expect(readdirSync(folder)).toEqual(['events.jsonl', 'recipe.yaml']);
  });

  it('does not take over the lock of another machine', () => {
    openRun(folder, recipe).close();
    writeFileSync(
      join(folder, 'lock.json'),
      JSON.stringify({ pid: 7, host: 'elsewhere', started: 'before' }),
    );
    const remedy = `if that process is gone, remove ${join(folder, 'lock.json')}`;
    expect(() => openRun(folder, recipe)).toThrow(`got a lock of process 7 on elsewhere (${remedy})`);
  });
});

describe('stage', () => {
  const inputs = { settings: sha256('settings'), madeFrom: { data: sha256('data') } };
  const modelFile = () => join(stageFolder(folder, 'cot'), 'model.safetensors');
  const finish = () => {
    startStage(folder, 'cot', inputs);
    writeFileSync(modelFile(), 'weights');
    finishStage(folder, 'cot', inputs, 10);
  };

  it('goes from absent to partial to finished', () => {
    expect(stageStatus(folder, 'cot')).toBe('absent');
    expect(planStage(folder, 'cot', inputs)).toEqual({ action: 'start', changed: [] });
    startStage(folder, 'cot', inputs);
    saveCheckpoint(checkpointFolder(folder, 'cot'), checkpointOf(5));
    expect(stageStatus(folder, 'cot')).toBe('partial');
    expect(planStage(folder, 'cot', inputs)).toEqual({ action: 'resume', changed: [] });
    expect(() => stageOutputs(folder, 'cot')).toThrow(
      `expected stage cot of ${folder} to be finished, got partial`,
    );
    writeFileSync(modelFile(), 'weights');
    const manifest = finishStage(folder, 'cot', inputs, 10);
    expect(verifyManifest(stageFolder(folder, 'cot'))).toEqual(manifest);
    expect(manifest).toMatchObject({ stage: 'cot', step: 10, finished: true, ...inputs });
    expect(existsSync(checkpointFolder(folder, 'cot'))).toBe(false);
    expect(planStage(folder, 'cot', inputs)).toEqual({ action: 'skip', changed: [] });
    expect(stageOutputs(folder, 'cot')).toEqual({ 'stages/cot/model.safetensors': sha256('weights') });
  });

  it('starts again if an input changed, and says which', () => {
    finish();
    const other = { ...inputs, madeFrom: { data: sha256('other') } };
    const changed = [`madeFrom.data ("${sha256('data')}", not "${sha256('other')}")`];
    expect(planStage(folder, 'cot', other)).toEqual({ action: 'start', changed });
    startStage(folder, 'cot', other);
    expect(existsSync(modelFile())).toBe(false);
    expect(planStage(folder, 'cot', inputs).action).toBe('start');
  });

  it('finds a file that was cut short, changed or removed', () => {
    finish();
    const file = modelFile();
    const plan = () => planStage(folder, 'cot', inputs);
    writeFileSync(file, 'weightz');
    expect(plan).toThrow(
      `verifyManifest: expected sha256 ${sha256('weights')} of ${file}, got ${sha256('weightz')}: its content was changed`,
    );
    truncateSync(file, 3);
    expect(plan).toThrow(`verifyManifest: expected 7 bytes in ${file}, got 3: it was cut short`);
    rmSync(file);
    expect(plan).toThrow(`verifyManifest: expected the file ${file} of 7 bytes, got none`);
  });

  it('finds a manifest that was changed, or leads out of its folder', () => {
    finish();
    const file = join(stageFolder(folder, 'cot'), 'manifest.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"step": 10', '"step": 11'));
    expect(() => planStage(folder, 'cot', inputs)).toThrow(`readManifest: expected ${file} to have the seal`);
    const { seal, ...content } = JSON.parse(text);
    content.files = { '../../secret': content.files['model.safetensors'] };
    writeFileSync(file, JSON.stringify({ ...content, seal: sha256(canonicalJson(content)) }));
    expect(() => planStage(folder, 'cot', inputs)).toThrow(
      `expected a valid files.../../secret in ${file}, got: `,
    );
    expect(seal).toHaveLength(64);
  });

  it('gives equal bytes for equal content', () => {
    finish();
    const file = join(stageFolder(folder, 'cot'), 'manifest.json');
    const first = readFileSync(file);
    finish();
    expect(readFileSync(file)).toEqual(first);
  });
});
