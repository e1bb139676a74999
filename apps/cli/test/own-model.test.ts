import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '@latent-sft/data';
import { disposeParameters, loadModelFolder, parametersFrom } from '@latent-sft/model';
import { loadAnswerer } from '@latent-sft/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logitsOf, maxDifference } from '../../../packages/model/test/logits.js';
import {
  pythonWithTransformers,
  TRANSFORMERS_TIMEOUT_MS,
} from '../../../packages/model/test/transformers.js';
import { latentSft } from './command-line.js';
import { blocks, IN_A_SECOND, wordsOf, writeOwnFiles } from './own-model.js';
import { temporaryFolder } from './tiny-run.js';

const folder = temporaryFolder();
const before = process.cwd();
beforeAll(() => {
  writeOwnFiles(folder);
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const withPeft =
  pythonWithTransformers !== undefined &&
  spawnSync(pythonWithTransformers, ['-c', 'import peft']).status === 0;
if (!withPeft)
  console.warn('no Python with transformers and peft (LATENT_SFT_PYTHON): its tests are skipped');

const TEXTS = ['Ann has 3 pens.', '3 +4 *7 ?\n<|end|>'];

interface Case {
  readonly model: string;
  readonly adapter: string | null;
}

function opened(cases: readonly Case[]) {
  const script = fileURLToPath(new URL('open-export.py', import.meta.url));
  const { stdout, stderr } = spawnSync(pythonWithTransformers!, [script], {
    input: JSON.stringify(cases.map((one) => ({ ...one, texts: TEXTS }))),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { ids: number[][]; generation: number[]; logits: number[][][] }[];
}

describe('docs/your-own-model.md', () => {
  const printed = new Map<string, string>();

  it('has commands that do what they say, in their order', async () => {
    const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n'));
    expect(lines).toHaveLength(9);
    for (const line of lines) {
      const [program, ...words] = wordsOf(line);
      expect(program).toBe('latent-sft');
      const settings = words[0] === 'train' ? IN_A_SECOND.flatMap((setting) => ['--set', setting]) : [];
      const { code, out, err } = await latentSft([...words, ...settings]);
      expect(code, `${line}\n${err}`).toBe(0);
      printed.set(line, out);
    }
    const found = (part: string) => [...printed].find(([line]) => line.includes(part))![1];
    expect(found('data inspect')).toMatch(/\b35\b/);
    expect(JSON.parse(found('--data test.csv'))).toMatchObject({ items: 8 });
    expect(found('--stage cot --out')).toContain('llama, ');
    expect(readdirSync('exported/mine-adapter').sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
    expect(found('score')).toMatch(/mean\t\d+\.\d+ nats over \d+ tokens/);
    expect(existsSync('exported/base.partial')).toBe(false);
  }, 120_000);

  it('exports the model that answers, to the bit', async () => {
    const { config, weights } = loadModelFolder('exported/mine-cot');
    const base = loadModelFolder('my-model').weights;
    expect(weights.get('model.layers.0.mlp.up_proj.weight')).not.toEqual(
      base.get('model.layers.0.mlp.up_proj.weight'),
    );
    const answerer = await loadAnswerer('runs/mine', 'cot');
    expect(answerer.config).toEqual(config);
    for (const [name, { data }] of weights) {
      expect([name, answerer.parameters.get(name)!.dataSync()]).toEqual([name, data]);
    }
    answerer.dispose();
  });

  it.skipIf(!withPeft)(
    'exports what transformers and PEFT open, with the same ids and logits',
    async () => {
      const stage = ['export', '--run', 'runs/mine', '--stage', 'latent', '--out'];
      expect(await latentSft([...stage, 'exported/mine-latent'])).toMatchObject({ code: 0 });
      expect(await latentSft(['export', '--model', 'my-model', '--out', 'exported/exact'])).toMatchObject({
        code: 0,
      });
      const found = opened([
        { model: 'exported/mine-cot', adapter: null },
        { model: 'exported/mine-latent', adapter: null },
        { model: 'exported/exact', adapter: 'exported/mine-adapter' },
      ]);
      const tokenizer = await loadTokenizer('exported/mine-cot');
      const ours = ['exported/mine-cot', 'exported/mine-latent', 'exported/mine-latent'];
      found.forEach(({ ids, generation, logits }, i) => {
        expect(ids).toEqual(TEXTS.map((text) => tokenizer.encode(text)));
        expect(generation).toEqual([tokenizer.special.eos, null]);
        const { config, weights } = loadModelFolder(ours[i]!);
        const parameters = parametersFrom(weights);
        const largest = Math.max(
          ...ids.map((row, text) => maxDifference(logitsOf(config, parameters, row), logits[text]!)),
        );
        disposeParameters(parameters);
        console.info(
          `${['cot, merged', 'latent, merged', 'latent, PEFT'][i]}: logits within ${largest.toExponential(1)}`,
        );
        expect(largest).toBeLessThan(1e-4);
      });
      // the adapter is not nothing
      expect(maxDifference(found[1]!.logits[0]!, found[0]!.logits[0]!)).toBeGreaterThan(1e-3);
    },
    TRANSFORMERS_TIMEOUT_MS,
  );
});
