import type { ReasoningRecord } from '../../record.js';

/** One fact: everything named `from` is a `to`. */
export interface NamedEdge {
  readonly from: string;
  readonly to: string;
}

/** A reachability record as what its text says. */
export interface ParsedReachability {
  /** In the order of the text. */
  readonly facts: readonly NamedEdge[];
  readonly root: string;
  /** In the order of the question. */
  readonly choices: readonly [string, string];
  readonly path: readonly NamedEdge[];
  readonly answer: string;
}

const FACT = /^(?:Every )?(\w+) is an? (\w+)\.$/;
const QUESTION = /^Is (\w+) an? (\w+) or (?:an? )?(\w+)\?$/;

/**
 * Reads the sentences of a reachability record, ours or ProsQA's.
 *
 * @throws if a sentence has another form.
 * @throws if the answer is none of the two choices.
 */
export function parseReachability(record: ReasoningRecord): ParsedReachability {
  const sentences = record.question.trim().split(/(?<=[.?])\s+/);
  const asked = sentences.pop()!;
  const question = QUESTION.exec(asked);
  if (!question) throw formError('a question "Is Tom a lempus or scrompus?"', asked);
  const [, root, first, second] = question as unknown as [string, string, string, string];
  const answer = parseFact(record.answer.trim()).to;
  if (answer !== first && answer !== second) {
    throw formError(`an answer that is ${first} or ${second}`, record.answer);
  }
  return {
    facts: sentences.map(parseFact),
    root,
    choices: [first, second],
    path: record.steps.map((step) => parseFact(step.trim())),
    answer,
  };
}

function parseFact(sentence: string): NamedEdge {
  const match = FACT.exec(sentence);
  if (!match) throw formError('a fact "Every x is a y." or "Tom is a x."', sentence);
  return { from: match[1]!, to: match[2]! };
}

function formError(expected: string, got: string): Error {
  return new Error(`symboliseReachability: expected ${expected}, got ${JSON.stringify(got)}`);
}
