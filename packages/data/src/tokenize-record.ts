import { type ExampleTokens, segmentByRate, segmentText } from '@latent-sft/segmentation';
import { type PromptSettings, promptIds } from './prompts/prompt-ids.js';
import type { ReasoningRecord } from './record.js';
import type { Tokenizer } from './tokenizers/tokenizer.js';

/**
 * How a chain is cut into segments: every `rate` tokens of the whole chain; one segment a step of the record;
 * or by what the steps' text says.
 */
export type Segmenter =
  | { readonly by: 'rate'; readonly rate: number }
  | { readonly by: 'step' }
  | { readonly by: 'line' | 'equation' | 'sentence' };

/**
 * A record as token ids, ready for a layout; the answer ends with `eos`.
 *
 * Steps are encoded one by one and joined as tokens. An empty chain gives no segments.
 *
 * @param prompt How the question is asked; as it stands unless told otherwise.
 * @throws if the tokenizer refuses a word, or a chat template is broken.
 * @throws if the rate is no integer >= 1.
 */
export function tokenizeRecord(
  record: ReasoningRecord,
  tokenizer: Tokenizer,
  segmenter: Segmenter,
  prompt?: PromptSettings,
): ExampleTokens {
  return {
    prompt: promptIds(tokenizer, record.question, prompt),
    think: tokenizer.special.think,
    segments: segmentSteps(record.steps, tokenizer, segmenter),
    end: tokenizer.special.end,
    answer: [...tokenizer.encode(record.answer), tokenizer.special.eos],
  };
}

function segmentSteps(steps: readonly string[], tokenizer: Tokenizer, segmenter: Segmenter): number[][] {
  if (segmenter.by === 'rate') {
    return segmentByRate(
      steps.flatMap((step) => tokenizer.encode(step)),
      segmenter.rate,
    );
  }
  const { by } = segmenter;
  const texts = by === 'step' ? steps : steps.flatMap((step) => segmentText(step, by));
  return texts.map((text) => tokenizer.encode(text)).filter((segment) => segment.length > 0);
}
