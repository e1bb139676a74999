import type { DecoderWeights, Sampling } from '@latent-sft/model';
import { asInput } from './errors.js';
import { openWeights, type WEIGHT_FORMATS } from './open-weights.js';
import { openModel } from './pretrained-model.js';
import type { Terminal } from './terminal.js';

/** How a text went on. */
export interface Continuation {
  readonly prompt: string;
  readonly text: string;
  readonly ids: readonly number[];
}

/**
 * What a pretrained model writes after a text, or in answer to it as a message in its chat template.
 *
 * @param start starts the engine, once the model's files are known to be good
 * @throws InputError if there is no such model, or no tokenizer with it.
 */
export async function continueText(
  reference: string,
  question: string,
  options: {
    readonly chat: boolean;
    readonly maxTokens: number;
    readonly sampling: Sampling;
    readonly weights: (typeof WEIGHT_FORMATS)[number];
  },
  terminal: Terminal,
  start: () => Promise<unknown>,
): Promise<Continuation> {
  const { promptIds } = await import('@latent-sft/data');
  const { disposeParameters, generate, parametersFrom } = await import('@latent-sft/model');
  const { config, weights, ...model } = await openModel(reference, terminal);
  const tokenizer = await model.tokenizer();
  const template = options.chat ? 'chat' : 'none';
  const prompt = asInput(() =>
    promptIds(tokenizer, question, { template, instruction: '', prefix: '', suffix: '' }),
  );
  await start();
  const parameters = parametersFrom(weights);
  let packedWeights: DecoderWeights | null = null;
  try {
    const packed = await openWeights(config, parameters, options.weights);
    packedWeights = packed;
    const [generation] = asInput(() =>
      generate(config, parameters, [{ prompt }], {
        // a chain without latents: tokens until the end of text
        mode: 'chain',
        end: tokenizer.special.end,
        eos: tokenizer.special.eos,
        maxLatents: 0,
        maxTokens: options.maxTokens,
        mixture: { support: 1, temperature: 1 },
        sampling: options.sampling,
        traceSize: 0,
        weights: packed ?? undefined,
      }),
    );
    const ids = generation!.tokens;
    return { prompt: tokenizer.decode(prompt), text: tokenizer.decode(ids), ids };
  } finally {
    packedWeights?.dispose();
    disposeParameters(parameters);
  }
}
