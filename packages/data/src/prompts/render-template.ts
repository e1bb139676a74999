import { createContext, Script } from 'node:vm';
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import type { ChatTemplate } from '../tokenizers/tokenizer.js';

/** One turn of a conversation. */
interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

const LIMITS = { templateLength: 1 << 18, textLength: 1 << 22, rangeLength: 10_000, timeMs: 2000 };

/**
 * Conversations as a chat template writes them, with the generation prompt.
 *
 * `strftime_now` is left out, so that a prompt does not depend on the day; templates have a date of their own for that
 * case. A template is given 2 seconds, ranges of 10,000 numbers and 4 Mi characters;
 * what it may hold in memory meanwhile is bounded by the time alone.
 *
 * @throws if the template is broken, refuses the conversation, or oversteps a limit; the error names its file.
 */
export function renderTemplate(
  template: ChatTemplate,
  conversations: readonly (readonly ChatMessage[])[],
): string[] {
  const fail = (got: string) =>
    new Error(`promptIds: expected a chat template that renders in ${template.source}, got ${got}`);
  if (template.text.length > LIMITS.templateLength) {
    throw fail(`${template.text.length} characters, more than ${LIMITS.templateLength}`);
  }
  let texts: readonly unknown[];
  try {
    // one watch for all: starting it is most of the time that a rendering takes
    texts = withinTime(() => conversations.map((messages) => render(template, messages)));
  } catch (error) {
    throw fail(`the error: ${(error as Error).message}`);
  }
  return texts.map((text) => {
    if (typeof text !== 'string') throw fail(`${typeof text} for a text`);
    if (text.length > LIMITS.textLength) throw fail(`${text.length} characters of text`);
    return text;
  });
}

const programs = new WeakMap<ChatTemplate, ReturnType<typeof parse>>();
const sandbox: { call?: () => readonly unknown[] } = createContext({});
const script = new Script('call()');

/** @throws if the call takes too long: the time limit of a context also stops what is called from it. */
function withinTime(call: () => readonly unknown[]): readonly unknown[] {
  sandbox.call = call;
  return script.runInContext(sandbox, { timeout: LIMITS.timeMs });
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
  let program = programs.get(template);
  if (program === undefined) {
    program = parse(tokenize(template.text, { lstrip_blocks: true, trim_blocks: true }));
    programs.set(template, program);
  }
  return new Interpreter(environment).run(program).value;
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= LIMITS.rangeLength)) throw new Error(`range() of ${length} numbers`);
  return Array.from({ length }, (_, i) => from + i * step);
}
