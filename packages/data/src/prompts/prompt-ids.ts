import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { renderChat } from './render-chat.js';

/** How a question becomes a prompt. */
export interface PromptSettings {
  /** `none`: prefix, question, suffix, as text; `chat`: the same as the user's message in the model's chat template. */
  readonly template: 'none' | 'chat';
  /** Chat: the system message; empty for none of ours (a template may have its own). Otherwise it stands before the prefix. */
  readonly instruction: string;
  readonly prefix: string;
  readonly suffix: string;
}

const BARE: PromptSettings = { template: 'none', instruction: '', prefix: '', suffix: '' };

/**
 * The ids of a question as a model is asked it.
 *
 * `none` is the text `instruction prefix question suffix`, encoded as it stands: special tokens in it are recognised.
 * `chat` renders the model's template with the instruction as system message and the generation prompt on. There only
 * the template and the settings may give special tokens: in the question they are plain text, so that data can neither
 * end its own message nor write a system message.
 *
 * @throws if the tokenizer refuses the text.
 * @throws if `chat` is asked of a tokenizer without a chat template, or the template is broken.
 */
export function promptIds(tokenizer: Tokenizer, question: string, settings: PromptSettings = BARE): number[] {
  const { template, instruction, prefix, suffix } = settings;
  if (template === 'none') return tokenizer.encode(instruction + prefix + question + suffix);
  const { text, question: plain } = renderChat(tokenizer, { instruction, prefix, question, suffix });
  return tokenizer.encode(text, plain);
}
