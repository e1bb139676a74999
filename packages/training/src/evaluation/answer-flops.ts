import { decodeFlops, type LoraShape } from '@latent-sft/model';
import { mixtureWords } from '../stages/stage-context.js';
import type { Answered, Answerer } from './answer-questions.js';

/**
 * FLOPs of one answered question, after `decodeFlops`: the prompt, then its latents, the end marker where it is fed
 * and not written, and every token that was fed back.
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
  const { prefill, steps } = decodeFlops(config, {
    promptTokens,
    steps: latentCount + marker + fed,
    latents: latentStop === 'given' ? 0 : latentCount,
    words: mixtureWords(config, mixture.support),
    ...(lora && { lora }),
  });
  return prefill + steps;
}
