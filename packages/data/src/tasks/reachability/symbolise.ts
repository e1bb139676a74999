import { createHash } from 'node:crypto';
import { randomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../../record.js';
import { type NamedEdge, parseReachability } from './parse-reachability.js';

// No letter in two cases: question hashes do not tell cases apart.
const SYMBOLS: readonly string[] = [...'abcdefghijklmnopqrstuvwxyz012345'];

/** The vocabulary of `symboliseReachability`: 32 symbols and the question mark, for `wordTokenizer`. */
export const reachabilitySymbols: readonly string[] = [...SYMBOLS, '?'];

/**
 * A reachability record with a random symbol for each name: two words a fact, in the order of the text.
 *
 * Question `x1 y1 x2 y2 … ? root a b`, steps `x y`, answer one symbol. Names are arbitrary, so nothing is lost, and
 * another seed is another training row. Which symbol a name gets depends on the question and the seed alone.
 *
 * @throws if a sentence is no fact or question of this form.
 * @throws if the record has more than 32 names.
 */
export function symboliseReachability(record: ReasoningRecord, seed: number): ReasoningRecord {
  const { facts, root, choices, path, answer } = parseReachability(record);
  const names = new Set(facts.flatMap(({ from, to }) => [from, to]));
  for (const name of [root, ...choices, ...path.flatMap(({ from, to }) => [from, to])]) names.add(name);
  if (names.size > SYMBOLS.length) {
    throw new Error(`symboliseReachability: expected at most ${SYMBOLS.length} names, got ${names.size}`);
  }
  const stream = createHash('sha256').update(record.question).digest().readUInt32BE(0);
  const symbols = randomDraws(seed, stream).shuffle(SYMBOLS);
  const symbolOf = new Map([...names].map((name, index) => [name, symbols[index]!]));
  const write = ({ from, to }: NamedEdge) => `${symbolOf.get(from)} ${symbolOf.get(to)}`;
  return {
    question: [...facts.map(write), '?', ...[root, ...choices].map((name) => symbolOf.get(name)!)].join(' '),
    steps: path.map(write),
    answer: symbolOf.get(answer)!,
  };
}
