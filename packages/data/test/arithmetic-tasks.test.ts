import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  modularArithmetic,
  type ReasoningRecord,
  type Task,
  variableChains,
  wordTokenizer,
} from '../src/index.js';

const forms = fc.constantFrom('pair' as const, 'separate' as const);

function modulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

function calculate(left: number, operator: string, right: number, modulus: number): number {
  const results: Record<string, number> = { '+': left + right, '-': left - right, '*': left * right };
  return modulo(results[operator]!, modulus);
}

/** Operator and operand apart, whichever form the text is in. */
function spread(text: string): string[] {
  return text
    .replace(/([+\-*])/g, ' $1 ')
    .split(' ')
    .filter((word) => word !== '');
}

function expectKnownWords(task: Task, records: readonly ReasoningRecord[]): void {
  const tokenizer = wordTokenizer(task.vocabulary);
  for (const { question, steps, answer } of records) {
    for (const text of [question, ...steps, answer]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  }
}

describe('modularArithmetic', () => {
  it('gives the rows of a seed, whatever the count', () => {
    const task = modularArithmetic();
    const rows = task.generate(20, 3);
    expect(task.generate(5, 3)).toEqual(rows.slice(0, 5));
    expect(task.generate(5, 4)).not.toEqual(rows.slice(0, 5));
    expect(rows[0]).toMatchInlineSnapshot(`
      {
        "answer": "1",
        "question": "1 +6 +2 -7 *9 -2 +5 ?",
        "steps": [
          "+6 7",
          "+2 9",
          "-7 2",
          "*9 8",
          "-2 6",
          "+5 1",
        ],
      }
    `);
  });

  it('has one word an operation: 32 words at modulus 10', () => {
    expect(modularArithmetic().vocabulary).toHaveLength(10 + 9 + 9 + 3 + 1);
    expect(modularArithmetic().vocabulary).toEqual(expect.arrayContaining(['*3', '*7', '*9', '+9', '-1']));
    expect(modularArithmetic().vocabulary).not.toContain('*5');
  });

  it('calculates every chain right and stays in its vocabulary', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 2, max: 30 }),
        forms,
        fc.nat(6),
        (seed, modulus, form, more) => {
          const task = modularArithmetic({ operations: [2, 2 + more], modulus, form });
          const records = task.generate(5, seed);
          expectKnownWords(task, records);
          for (const { question, steps, answer } of records) {
            const words = spread(question);
            expect(words.at(-1)).toBe('?');
            let value = Number(words[0]);
            for (const [index, step] of steps.entries()) {
              const [operator, operand] = words.slice(1 + 2 * index, 3 + 2 * index);
              value = calculate(value, operator!, Number(operand), modulus);
              const written = spread(step).filter((word) => word !== '=');
              expect(written).toEqual([operator, operand, String(value)]);
            }
            expect(answer).toBe(String(value));
            expect(words).toHaveLength(2 + 2 * steps.length);
            expect(steps.length).toBeGreaterThanOrEqual(2);
            expect(steps.length).toBeLessThanOrEqual(2 + more);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('draws operators uniformly, then operands uniformly, and no answer is likelier', () => {
    const records = modularArithmetic().generate(5000, 0);
    const operations = records.flatMap(({ steps }) => steps.map((step) => step.split(' ')[0]!));
    const share = (test: (operation: string) => boolean) =>
      operations.filter(test).length / operations.length;
    for (const operator of '+-*') expect(share((o) => o[0] === operator)).toBeCloseTo(1 / 3, 1.5);
    expect(share((o) => o === '*7')).toBeCloseTo(1 / 9, 1.5);
    expect(share((o) => o === '+4')).toBeCloseTo(1 / 27, 2);
    for (let answer = 0; answer < 10; answer++) {
      expect(records.filter((record) => record.answer === String(answer)).length / 5000).toBeCloseTo(
        0.1,
        1.5,
      );
    }
  });

  it('draws every length of a range', () => {
    const lengths = modularArithmetic({ operations: [2, 4] })
      .generate(200, 0)
      .map(({ steps }) => steps.length);
    expect([...new Set(lengths)].sort()).toEqual([2, 3, 4]);
  });

  it('refuses sizes that make no task', () => {
    expect(() => modularArithmetic({ operations: 0 })).toThrow('modularArithmetic: expected an integer >= 1');
    expect(() => modularArithmetic({ operations: [4, 2] })).toThrow('got [4,2]');
    expect(() => modularArithmetic({ modulus: 1 })).toThrow(
      'expected a modulus that is an integer in [2, 1000]',
    );
    expect(() => modularArithmetic().generate(-1, 0)).toThrow('expected a count');
  });
});

describe('variableChains', () => {
  it('says every assignment once and answers with the last variable of the chain', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        forms,
        fc.boolean(),
        fc.integer({ min: 1, max: 26 }),
        (seed, form, shuffled, most) => {
          const task = variableChains({ variables: [1, most], form, shuffled });
          const records = task.generate(5, seed);
          expectKnownWords(task, records);
          for (const { question, steps, answer } of records) {
            const parts = question.split(' ; ');
            const asked = parts.pop()!.split(' ')[0];
            const assigned = new Map(parts.map((part) => [part.split(' ')[0]!, spread(part).slice(2)]));
            const values = new Map<string, number>();
            const order = steps.map((step) => step.split(' ')[0]!);
            for (const name of order) {
              const [first, operator, operand] = assigned.get(name)!;
              const value =
                operator === undefined
                  ? Number(first)
                  : calculate(values.get(first!)!, operator, Number(operand), 10);
              values.set(name, value);
            }
            expect(steps.map((step) => Number(step.split(' ').at(-1)))).toEqual([...values.values()]);
            expect(order.at(-1)).toBe(asked);
            expect(answer).toBe(String(values.get(asked!)));
            expect(assigned.size).toBe(steps.length);
            if (!shuffled) expect(order).toEqual([...assigned.keys()]);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses more variables than there are names', () => {
    expect(() => variableChains({ variables: 27 })).toThrow('expected at most 26 variables, got 27');
  });
});
