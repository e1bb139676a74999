import { runInNewContext } from 'node:vm';
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import type { ChatTemplate } from '../tokenizers/tokenizer.js';

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

const LIMITS = { templateLength: 1 << 18, textLength: 1 << 22, rangeLength: 10_000, timeMs: 2000 };

/**
 * A conversation as a chat template writes it, with the generation prompt.
 *
 * `strftime_now` is left out, so that a prompt does not depend on the day; templates have a date of their own for that
 * case. A template is given 2 seconds, ranges of 10,000 and 4 Mi characters.
 *
 * @throws if the template is broken, refuses the conversation, or oversteps a limit; the error names its file.
 */
export function renderTemplate(template: ChatTemplate, messages: readonly ChatMessage[]): string {
  const fail = (got: string) =>
    new Error(`promptIds: expected a chat template that renders in ${template.source}, got ${got}`);
  if (template.text.length > LIMITS.templateLength) {
    throw fail(`${template.text.length} characters, more than ${LIMITS.templateLength}`);
  }
  let text: unknown;
  try {
    // the time limit of a context also stops what is called from it
    text = runInNewContext(
      'render()',
      { render: () => render(template, messages) },
      { timeout: LIMITS.timeMs },
    );
  } catch (error) {
    throw fail((error as Error).message);
  }
  if (typeof text !== 'string') throw fail(`${typeof text} for a text`);
  if (text.length > LIMITS.textLength) throw fail(`${text.length} characters of text`);
  return text;
}

function render(template: ChatTemplate, messages: readonly ChatMessage[]): unknown {
  const environment = new Environment();
  const globals = {
    ...template.tokens,
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    range: boundedRange,
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    messages,
    add_generation_prompt: true,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  const program = parse(tokenize(template.text, { lstrip_blocks: true, trim_blocks: true }));
  const result = new Interpreter(environment).run(program);
  return result.value;
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= LIMITS.rangeLength)) throw new Error(`range() of ${length} numbers`);
  return Array.from({ length }, (_, i) => from + i * step);
}
