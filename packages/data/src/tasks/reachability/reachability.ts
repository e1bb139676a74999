import type { RandomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../../record.js';
import { generateRows, type Task } from '../task.js';
import { drawProblem } from './draw-problem.js';
import { NOUNS, PEOPLE } from './names.js';
import { reachabilitySymbols, symboliseReachability } from './symbolise.js';

export interface ReachabilityOptions {
  /** `text` (default): ProsQA's sentences; `symbols`: the form of `symboliseReachability`, 33 words. */
  readonly form?: 'text' | 'symbols';
}

/**
 * Graph reachability in the form and distribution of ProsQA (arXiv 2412.06769), with names of our own.
 *
 * Question `Every wandle is a zibbit. Nora is a wandle. … Is Nora a zibbit or tarrow?`, steps `Nora is a wandle.`,
 * `Every wandle is a zibbit.`, answer `Nora is a zibbit.`; chains are 3 to 6 steps long.
 */
export function reachability(options: ReachabilityOptions = {}): Task {
  const { form = 'text' } = options;
  return {
    name: 'reachability',
    vocabulary: form === 'text' ? textVocabulary() : reachabilitySymbols,
    chance: 0.5,
    generate: (count, seed) => {
      const records = generateRows(count, seed, drawRecord);
      return form === 'text' ? records : records.map((record) => symboliseReachability(record, seed));
    },
  };
}

function drawRecord(random: RandomDraws): ReasoningRecord {
  const { graph, root, target, wrongTarget, path } = drawProblem(random);
  const people = random.shuffle(PEOPLE);
  const nouns = random.shuffle(NOUNS);
  const names = graph.parents.map((own) => (own.length === 0 ? people : nouns).pop()!);
  const sentence = (from: number, to: number) =>
    `${graph.parents[from]!.length === 0 ? names[from] : `Every ${names[from]}`} is a ${names[to]}.`;

  const facts = graph.parents.flatMap((own, node) => own.map((parent) => sentence(parent, node)));
  const [first, second] = random.shuffle([names[target], names[wrongTarget]]);
  return {
    question: [...random.shuffle(facts), `Is ${names[root]} a ${first} or ${second}?`].join(' '),
    steps: path.slice(1).map((node, index) => sentence(path[index]!, node)),
    answer: `${names[root]} is a ${names[target]}.`,
  };
}

function textVocabulary(): string[] {
  const nouns = NOUNS.flatMap((noun) => [noun, `${noun}.`, `${noun}?`]);
  return ['Every', 'Is', 'is', 'a', 'or', ...PEOPLE, ...nouns];
}
