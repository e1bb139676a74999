import type { RandomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../../record.js';

/**
 * A reachability record in symbols with only some of its facts: those of the path and a random number of others, in
 * their order. Leaving facts out never makes the wrong choice reachable, so chain and answer stay right.
 *
 * Training on graphs of all sizes up to the real one lets a small model find how to look a fact up, which it
 * does not in the same time if every question holds 36.
 *
 * @throws if the question has no `?` between facts and choices.
 */
export function thinFacts(record: ReasoningRecord, random: RandomDraws): ReasoningRecord {
  const words = record.question.split(' ');
  const mark = words.indexOf('?');
  if (mark < 0) throw new Error(`thinFacts: expected a question with a ? in it, got "${record.question}"`);
  const facts = Array.from({ length: mark / 2 }, (_, i) => `${words[2 * i]} ${words[2 * i + 1]}`);
  const path = new Set(record.steps);
  const others = random.shuffle(facts.filter((fact) => !path.has(fact)));
  const kept = new Set([...path, ...others.slice(0, random.integer(others.length + 1))]);
  const question = [...facts.filter((fact) => kept.has(fact)), ...words.slice(mark)].join(' ');
  return { ...record, question };
}
