import { join } from 'node:path';
import {
  decoderWeights,
  type GenerationSettings,
  generate,
  loadModelFolder,
  parametersFrom,
} from '@latent-sft/model';
import type { WeightFormat } from '@latent-sft/tensor';
import type { ServedWork } from '../process/serve.js';
import { MODEL_FOLDER, readWork } from '../workload/work-file.js';
import { meanSeconds } from './mean-seconds.js';

/** How much of a question each case answers: latents, and words after them. */
const CASES = ['prefill', 'latents', 'tokens', 'question'] as const;

/**
 * Our own decoding, by the code that `latent-sft generate` runs; rows stop at their limits alone.
 *
 * @param format of the weights that steps after the prompt read
 * @throws if the engine has no steps for weights of fewer bytes.
 */
export function openDecoding(folder: string, rows: readonly number[], format: WeightFormat): ServedWork {
  const { config, decoding } = readWork(folder);
  const parameters = parametersFrom(loadModelFolder(join(folder, MODEL_FOLDER)).weights);
  const weights = format === 'float32' ? undefined : decoderWeights(config, parameters, format);
  if (weights === null) {
    throw new Error(`openDecoding: expected an engine with fused kernels for weights in ${format}, got none`);
  }
  const requests = rows.map((row) => ({ prompt: decoding.prompts[row]! }));
  const answer = (testCase: string) => {
    const named = CASES.find((name) => name === testCase);
    if (!named) throw new Error(`openDecoding: expected a case of ${CASES.join(', ')}, got ${testCase}`);
    const settings: GenerationSettings = {
      mode: named === 'latents' || named === 'question' ? 'latent' : 'direct',
      end: [],
      eos: -1,
      maxLatents: decoding.latents,
      maxTokens: named === 'tokens' || named === 'question' ? decoding.tokens : 1,
      mixture: { support: decoding.support, temperature: 1 },
      sampling: { kind: 'greedy' },
      traceSize: 0,
      weights,
    };
    return generate(config, parameters, requests, settings);
  };
  return {
    check: (testCase) => answer(testCase).flatMap(({ tokens }) => [...tokens]),
    run: (testCase) => ({ seconds: meanSeconds(() => answer(testCase)) }),
  };
}
