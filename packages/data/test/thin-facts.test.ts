import { randomDraws } from '@latent-sft/random';
import { describe, expect, it } from 'vitest';
import { reachability, thinFacts } from '../src/index.js';

const factsOf = (question: string) => {
  const words = question.split(' ');
  const mark = words.indexOf('?');
  return Array.from({ length: mark / 2 }, (_, i) => `${words[2 * i]} ${words[2 * i + 1]}`);
};

describe('thinFacts', () => {
  const records = reachability({ form: 'symbols' }).generate(200, 5);
  const thinned = records.map((record, row) => thinFacts(record, randomDraws(1, row)));

  it('keeps the path, the choices, and a part of the other facts in their order', () => {
    thinned.forEach((record, row) => {
      const all = factsOf(records[row]!.question);
      const kept = factsOf(record.question);
      for (const step of record.steps) expect(kept).toContain(step);
      expect(kept).toEqual(all.filter((fact) => kept.includes(fact)));
      expect(record.question.split(' ? ')[1]).toBe(records[row]!.question.split(' ? ')[1]);
      expect(record.answer).toBe(records[row]!.answer);
    });
  });

  it('leaves anything from the path alone to all facts', () => {
    const shares = thinned.map(
      (record, row) => factsOf(record.question).length / factsOf(records[row]!.question).length,
    );
    expect(Math.min(...shares)).toBeLessThan(0.2);
    expect(Math.max(...shares)).toBeGreaterThan(0.95);
  });

  it('refuses a question without choices', () => {
    const record = { question: 'a b', steps: [], answer: 'b' };
    expect(() => thinFacts(record, randomDraws(0))).toThrow('expected a question with a ? in it, got "a b"');
  });
});
