import type { ModelConfig } from '../config.js';
import { mixtureFlops } from './mixture-flops.js';
import { type LoraShape, passFlops } from './pass-flops.js';

/** One question and its answer with a cache of keys and values. */
export interface DecodeCounts {
  /** P: question, think marker, and what else is known to follow: given latents, the end marker of a direct answer. */
  readonly promptTokens: number;
  /** n: what is fed after the prompt, one a step: latents, end marker, tokens of the answer but its last. */
  readonly steps: number;
  /** How many of the steps are followed by one known beforehand: the end marker's tokens but the last; default 0. */
  readonly foreknown?: number;
  /** How many of the steps are latents; default 0. */
  readonly latents?: number;
  /** Words in a latent; default the whole vocabulary. */
  readonly words?: number;
  /** Adapters beside the base, not merged into it. */
  readonly lora?: LoraShape;
}

/**
 * FLOPs of answering one question, for the prompt and for the steps after it; see `passFlops` for what is counted.
 *
 * The prompt is a causal pass of P tokens, P (P + 1) / 2 pairs, of which the last row is read, and one head row. Step i = 1..n is a pass of one token
 * that sees P + i keys, and one head row unless the next input is known; a latent adds its mixture. An adapter on the
 * input table counts once, with the prompt. Padding of a batch, and rows that wait for others, are left out.
 *
 * @throws if a count is negative or not a whole number.
 * @throws if there are more latents, or more steps before a known one, than steps.
 */
export function decodeFlops(
  config: ModelConfig,
  counts: DecodeCounts,
): { readonly prefill: number; readonly steps: number } {
  const { promptTokens, steps, foreknown = 0, latents = 0, words = config.vocabularySize, lora } = counts;
  for (const [name, value] of Object.entries({ promptTokens, steps, foreknown, latents, words })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Error(`decodeFlops: expected ${name} to be a whole number >= 0, got ${value}`);
    }
  }
  for (const [name, value] of Object.entries({ foreknown, latents })) {
    if (value > steps) throw new Error(`decodeFlops: expected at most ${steps} ${name}, got ${value}`);
  }
  const prefill = passFlops(config, {
    tokens: promptTokens,
    pairs: (promptTokens * (promptTokens + 1)) / 2,
    read: { rows: Math.min(1, promptTokens), pairs: promptTokens },
    headRows: 1,
    trained: 'none',
    ...(lora && { lora }),
  });
  const stepLora = lora && { ...lora, targets: lora.targets.filter((target) => target !== 'embed_tokens') };
  const step = passFlops(config, {
    ...{ tokens: 1, pairs: 0, headRows: 0, trained: 'none' },
    ...(stepLora && { lora: stepLora }),
  });
  const pairs = steps * promptTokens + (steps * (steps + 1)) / 2;
  const read = passFlops(config, { tokens: 0, pairs, headRows: steps - foreknown, trained: 'none' });
  const mixtures = mixtureFlops(config, { latents, words, weightsTrained: false, tableTrained: false });
  return { prefill: prefill.forward, steps: steps * step.forward + read.forward + mixtures.forward };
}
