import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { selectEngine } from '@latent-sft/tensorflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { disposeParameters, generate, loadModelFolder, parametersFrom, scoreTokens } from '../src/index.js';
import { engines } from './engines.js';
import { logitsOf, maxDifference } from './logits.js';

/** Small random models and what transformers computes of them; see fixtures/make-fixtures.py. */
const NAMES = ['llama', 'llama3', 'qwen2', 'qwen3', 'gpt2'] as const;
const TOLERANCE = 1e-4;

interface Expected {
  readonly ids: number[];
  readonly greedy: number[];
  readonly logits: number[][];
}

const folderOf = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8'));

describe.each(engines)('against transformers, on %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  describe.each(NAMES)('%s', (name) => {
    const { config, weights } = loadModelFolder(folderOf(name));
    const { ids, greedy, logits } = expectedOf(name);

    it('has the same logits', () => {
      const parameters = parametersFrom(weights);
      expect(maxDifference(logitsOf(config, parameters, ids), logits)).toBeLessThan(TOLERANCE);
      disposeParameters(parameters);
    });

    it('scores as its logits say', () => {
      const parameters = parametersFrom(weights);
      const scores = scoreTokens(config, parameters, ids);
      ids.slice(1).forEach((id, t) => {
        const row = logits[t]!;
        const highest = Math.max(...row);
        const total = row.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
        expect(Math.abs(scores[t]! - (highest + Math.log(total) - row[id]!))).toBeLessThan(TOLERANCE);
      });
      disposeParameters(parameters);
    });

    it('continues a text in the same words, with others in the batch', () => {
      const parameters = parametersFrom(weights);
      const generations = generate(
        config,
        parameters,
        [{ prompt: ids.slice(0, 3) }, { prompt: ids }, { prompt: ids.slice(0, 17) }],
        {
          mode: 'chain',
          maxLatents: 0,
          end: [0],
          eos: config.vocabularySize,
          maxTokens: greedy.length,
          mixture: { support: 'full', temperature: 1 },
          sampling: { kind: 'greedy' },
          traceSize: 0,
        },
      );
      expect(generations[1]!.tokens).toEqual(greedy);
      disposeParameters(parameters);
    });
  });
});
