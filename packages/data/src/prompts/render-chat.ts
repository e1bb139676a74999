import type { TextRange } from '../tokenizers/plain-ranges.js';
import type { ChatTemplate, Tokenizer } from '../tokenizers/tokenizer.js';
import { renderTemplate } from './render-template.js';

/** Stands for the question while its place is looked for; letters alone, so that no template trims or escapes it. */
const STAND_IN = 'QuestionStandsHereQzxj';

/**
 * A question in a model's chat template, and where the question stands in it.
 *
 * The place is found by rendering the template once more with a word in the question's stead. A template that trims
 * the message, as Llama 3's does, trims the question: what is left of it is the range.
 *
 * @throws if the tokenizer has no chat template, or the template is broken.
 * @throws if the template changes with the question otherwise than by holding it.
 */
export function renderChat(
  tokenizer: Tokenizer,
  parts: {
    readonly instruction: string;
    readonly prefix: string;
    readonly question: string;
    readonly suffix: string;
  },
): { readonly text: string; readonly question: readonly TextRange[] } {
  const template = tokenizer.chatTemplate;
  if (template === undefined) {
    throw new Error('promptIds: expected a tokenizer with a chat template, got none');
  }
  const { instruction, prefix, question, suffix } = parts;
  const conversations = [question, STAND_IN].map((asked) => messages(instruction, prefix + asked + suffix));
  const [text, frame] = renderTemplate(template, conversations) as [string, string];
  return { text, question: questionRanges(text, frame.split(STAND_IN), question, template) };
}

function messages(instruction: string, content: string) {
  const user = { role: 'user', content };
  return instruction === '' ? [user] : [{ role: 'system', content: instruction }, user];
}

function questionRanges(
  text: string,
  around: readonly string[],
  question: string,
  template: ChatTemplate,
): TextRange[] {
  const written = [question, question.trim(), question.trimStart(), question.trimEnd()].find(
    (version) => around.join(version) === text,
  );
  if (written === undefined || around.length < 2) {
    const got = around.length < 2 ? 'a text without it' : 'a text that it changes';
    throw new Error(
      `promptIds: expected the chat template of ${template.source} to give a text that holds the question, got ${got}`,
    );
  }
  let start = 0;
  return around.slice(0, -1).map((part) => {
    start += part.length;
    const range = { start, end: start + written.length };
    start = range.end;
    return range;
  });
}
