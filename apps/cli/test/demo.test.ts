import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { selectEngine } from '@latent-sft/tensorflow';
import { parseRecipe } from '@latent-sft/training';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { drawDemo, runDemo } from '../src/demo/run-demo.js';
import { TINY_RECIPE, temporaryFolder } from './tiny-run.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

it('the demo trains, asks all three models the test questions, and shows how the latent one thinks', async () => {
  let notes = '';
  const terminal = {
    result: () => {},
    note: (text: string) => {
      notes += text;
    },
    interactive: false,
    columns: 100,
  };
  const engine = await selectEngine();
  const run = join(folder, 'demo');
  const result = await runDemo(parseRecipe(parse(TINY_RECIPE)), run, { engine, terminal, fresh: true });

  expect(result.table.rows.map(({ stage }) => stage)).toEqual(['no-cot', 'cot', 'latent']);
  const [direct, chain, latent] = result.table.rows;
  for (const row of result.table.rows) {
    expect(row).toMatchObject({ items: 20, passAt1: row.correct / 20 });
    expect(Math.min(row.msPerQuestion, row.msAlone)).toBeGreaterThan(0);
  }
  expect(direct!.meanReasoningSteps).toBe(0);
  expect(chain!.meanReasoningSteps).toBe(chain!.meanChainTokens);
  expect(latent!.meanReasoningSteps).toBe(latent!.meanLatents);
  const { seconds, seed, machine } = result.table;
  expect(seed).toBe(0);
  expect(machine).toMatchObject({ backend: engine.backend, cores: engine.cores });
  expect(seconds.stages.map(({ stage }) => stage)).toEqual(['no-cot', 'cot', 'union', 'labels', 'student']);
  expect(seconds.training).toBeCloseTo(seconds.stages.reduce((sum, stage) => sum + stage.seconds, 0));

  for (const words of ['No-CoT, the floor', 'CoT-SFT, the ceiling', 'Stage 1:', 'Soft labels', 'Stage 2:']) {
    expect(notes).toContain(words);
  }
  const drawn = drawDemo(result);
  expect(drawn.match(/^question /gm)).toHaveLength(3);
  expect(drawn).toMatch(/20 questions that no stage has seen; guessing gets 10\.0 %/);
  expect(drawn).toContain(`sha256 of the questions: ${result.table.sha256}`);
  expect(drawn).toMatch(/^student +8 steps +\d/m);
  for (const line of drawn.slice(drawn.indexOf('20 questions')).split('\n')) {
    expect(line.length).toBeLessThan(111);
  }
  expect(drawn).toMatch(/^Latent-SFT +\d+\.\d % +\d+\.\d to \d+\.\d/m);
}, 60_000);
