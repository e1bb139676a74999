import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { modularArithmetic } from '@latent-sft/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageSummary } from '../src/stage-summaries.js';
import { latentSft, type Outcome } from './command-line.js';
import { TINY_RECIPE, temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
const run = join(folder, 'run');
const recipe = write(folder, 'tiny.yaml', TINY_RECIPE);
const QUESTION = modularArithmetic({ operations: 2 }).generate(1, 5)[0]!.question;
let trained: Outcome;
beforeAll(async () => {
  trained = await latentSft(['train', '--recipe', recipe, '--run', run, '--json']);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('train', () => {
  it('trains every stage; progress goes to standard error, the result to standard output', () => {
    expect(trained.code).toBe(0);
    const { stages } = JSON.parse(trained.out) as { stages: StageSummary[] };
    expect(stages.map(({ stage }) => stage)).toEqual(['no-cot', 'cot', 'union', 'labels', 'student']);
    for (const { seconds, stepSeconds, tokens, flops, ...rates } of stages) {
      expect(seconds).toBeGreaterThan(stepSeconds!);
      expect(rates.tokensPerSecond).toBeCloseTo(tokens! / stepSeconds!);
      expect(rates.gflopsPerSecond).toBeCloseTo(flops! / 1e9 / stepSeconds!);
    }
    expect(trained.err).toMatch(
      /200 training, 20 validation, 20 test questions; none of validation and test is in/,
    );
    expect(trained.err).toMatch(
      / {2}cot 8\/8 steps \(100 %\), [\d.]+ steps\/s, loss \d+\.\d+, validation accuracy /,
    );
  });

  it('skips what is made', async () => {
    const again = await latentSft(['train', '--recipe', recipe, '--run', run]);
    expect(again.code).toBe(0);
    expect(again.out).toContain(`trained ${run}: no-cot, cot, union, labels, student\n`);
    expect(again.out).toMatch(/^cot +8 steps +[\d.]+ +[\d.]+ +\d+ +[\d.]+ M +[\d.]+ [MG] +[\d.]+ [MG]B$/m);
    expect(again.out).toMatch(/^labels +220 rows /m);
    for (const line of again.out.split('\n')) expect(line.length).toBeLessThan(111);
    expect(again.err.match(/already made/g)).toHaveLength(5);
  });

  it('refuses another recipe in the same run, naming what differs', async () => {
    const other = await latentSft(['train', '--recipe', recipe, '--run', run, '--set', 'segmenter.rate=1']);
    expect(other.code).toBe(2);
    expect(other.err).toContain('got another segmenter.rate (2, not 1)');
  });
});

describe('eval', () => {
  it("answers the run's own test questions with each stage", async () => {
    for (const stage of ['no-cot', 'cot', 'latent']) {
      const { code, out } = await latentSft(['eval', '--run', run, '--stage', stage, '--json']);
      expect(code).toBe(0);
      const report = JSON.parse(out);
      expect(report).toMatchObject({ items: 20, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(report.passAt1).toBe(report.correct / 20);
      expect(report.interval95[0]).toBeLessThanOrEqual(report.passAt1);
      expect(report.interval95[1]).toBeGreaterThanOrEqual(report.passAt1);
      expect(report.meanLatents > 0 || stage !== 'latent').toBe(true);
      expect(report.meanAnswerTokens).toBeGreaterThanOrEqual(0);
      expect(report.flopsPerQuestion).toBeGreaterThan(1e4);
      expect(report).toHaveProperty('peakRssBytes');
    }
  });

  it('answers from replaced latents with --arms, which needs the latent stage', async () => {
    const { code, out } = await latentSft(['eval', '--run', run, '--arms', '--json']);
    expect(code).toBe(0);
    const { correct, arms } = JSON.parse(out) as {
      correct: number;
      arms: { arm: string; correct: number }[];
    };
    const names = ['trained', 'shuffled', 'other-item', 'mean', 'zero', 'none'];
    expect(arms.map(({ arm }) => arm)).toEqual(names);
    expect(arms[0]!.correct).toBe(correct);
    const refused = await latentSft(['eval', '--run', run, '--arms', '--stage', 'cot']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('expected --stage latent with --arms, got cot');
  });

  it("answers a file's questions, tells the hash of its bytes, and stops at a limit", async () => {
    const records = modularArithmetic({ operations: 2 }).generate(9, 1);
    const text = records.map((record) => JSON.stringify(record)).join('\n');
    const file = write(folder, 'questions.jsonl', text);
    const words = ['eval', '--run', run, '--data', file, '--format', 'jsonl', '--limit', '4'];
    const report = JSON.parse((await latentSft([...words, '--json'])).out);
    expect(report).toMatchObject({ items: 4, sha256: createHash('sha256').update(text).digest('hex') });
    const said = await latentSft(words);
    expect(said.out).toMatch(/^ {2}\d+(\.\d+)? [kM]FLOP a question.*; 4 questions, sha256 [0-9a-f]{64}$/m);
    expect(said.out).toMatch(
      /^latent: \d+\.\d % of 4 questions right \(95 % interval .*\), .* latents and .* answer tokens/,
    );
  });
});

describe('generate', () => {
  it('shows the latents as words with their weights, then the answer', async () => {
    const words = ['generate', '--run', run, '--question', QUESTION];
    const drawn = await latentSft(words);
    expect(drawn.code).toBe(0);
    expect(drawn.out).toMatch(/^question {2}.*\n( {2}latent .*\n)*(.*limit.*\n)?answer {4}.*\n$/);
    const { latents, answer } = JSON.parse((await latentSft([...words, '--json', '--words', '2'])).out);
    expect(typeof answer).toBe('string');
    for (const { words: shown } of latents) {
      expect(shown).toHaveLength(2);
      expect(shown[0].weight).toBeGreaterThanOrEqual(shown[1].weight);
    }
  });

  it('draws answers by seed', async () => {
    const words = [
      'generate',
      '--run',
      run,
      '--question',
      QUESTION,
      '--temperature',
      '3',
      '--json',
      '--seed',
    ];
    const answers = await Promise.all(['1', '1', '2', '3'].map((seed) => latentSft([...words, seed])));
    expect(answers[0]!.out).toBe(answers[1]!.out);
    expect(new Set(answers.map(({ out }) => out)).size).toBeGreaterThan(1);
  });

  it('writes the chain with the CoT model', async () => {
    const { out } = await latentSft([
      'generate',
      '--run',
      run,
      '--question',
      QUESTION,
      '--stage',
      'cot',
      '--json',
    ]);
    expect(JSON.parse(out)).toMatchObject({ stage: 'cot', latents: [], chain: expect.stringMatching(/\S/) });
  });
});

it('leaves nothing beside the run', () => {
  expect(existsSync(join(run, 'lock.json'))).toBe(false);
  expect(readFileSync(join(run, 'events.jsonl'), 'utf8')).toMatch(/"type":"stage-done","stage":"student"/);
});
