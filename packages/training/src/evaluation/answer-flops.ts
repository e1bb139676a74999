import { decodeFlops, type LoraShape } from '@latent-sft/model';
import { mixtureWords } from '../stages/stage-context.js';
import type { Answered, Answerer } from './answer-questions.js';

/**
 * FLOPs of one answered question, after `decodeFlops`: the prompt with what is known to follow it, then latents, the
 * end marker behind them, and every token that was fed back.
 *
 * @param lora adapters that stand beside the weights, not merged into them
 */
export function answerFlops(
  { config, mode, mixture, tokenizer, maxTokens }: Answerer,
  { promptTokens, generation }: Answered,
  lora: LoraShape | null = null,
): number {
  const { tokens, latentCount, latentStop } = generation;
  const marker = mode === 'chain' ? 0 : tokenizer.special.end.length;
  // the token that reaches the limit is not fed any more; the end of text never is
  const fed = tokens.length < maxTokens ? tokens.length : tokens.length - 1;
  const thinks = mode === 'latent' && latentStop !== 'given';
  const { prefill, steps } = decodeFlops(config, {
    promptTokens: promptTokens + (thinks ? 0 : latentCount + marker),
    steps: fed + (thinks ? latentCount + marker : 0),
    foreknown: thinks ? Math.max(0, marker - 1) : 0,
    latents: thinks ? latentCount : 0,
    words: mixtureWords(config, mixture.support),
    ...(lora && { lora }),
  });
  return prefill + steps;
}
