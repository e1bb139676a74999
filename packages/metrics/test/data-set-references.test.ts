import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type GradeKind, gradeAnswer } from '../src/index.js';

type Answered = readonly [text: string, reference: string];

// Files of public data sets: beside the repository, not in it.
const data = new URL('../../../../shared/data/', import.meta.url);

const read = (path: string) => readFileSync(new URL(path, data), 'utf8');
const lines = (path: string) =>
  read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe.skipIf(!existsSync(data))(
  'the references of the data sets (skipped where the files are missing)',
  () => {
    it.each<[string, GradeKind, number, () => Answered[]]>([
      [
        'GSM8K',
        'number',
        7473,
        () => lines('gsm8k/train.jsonl').map(({ answer }) => [answer, answer.split('#### ')[1]]),
      ],
      [
        'GSM-Hard',
        'number',
        20,
        () => lines('samples/gsm_hard.head20.jsonl').map(({ target }) => [`so ${target}`, String(target)]),
      ],
      [
        'SVAMP',
        'number',
        20,
        () =>
          JSON.parse(read('samples/svamp.head20.json')).map(({ Answer }: { Answer: number }) => [
            `The answer is ${Answer}.`,
            `${Answer}.0`,
          ]),
      ],
      [
        'MAWPS',
        'number',
        395,
        () => lines('mawps/addsub.jsonl').map(({ target }) => [`${target} apples`, String(target)]),
      ],
      [
        'ProsQA',
        'name',
        300,
        () =>
          JSON.parse(read('prosqa/valid.json')).map((row: { steps: string[]; answer: string }) => [
            [...row.steps, row.answer].join(' '),
            row.answer,
          ]),
      ],
      [
        'ProntoQA',
        'choice',
        200,
        () =>
          JSON.parse(read('prontoqa/coconut_valid.json')).map((row: { steps: string[]; answer: string }) => [
            [...row.steps, row.answer].join(' '),
            row.answer,
          ]),
      ],
      [
        'StrategyQA',
        'choice',
        229,
        () =>
          JSON.parse(read('strategyqa/dev.json')).map((row: { facts: string[]; answer: boolean }) => [
            `${row.facts.join(' ')} So the answer is ${row.answer ? 'yes' : 'no'}.`,
            String(row.answer),
          ]),
      ],
    ])(
      '%s: each is right behind its own reasoning, and wrong behind another answer',
      (_, kind, count, answered) => {
        const pairs = answered();
        expect(pairs).toHaveLength(count);
        const wrong = pairs.filter(([text, reference]) => !gradeAnswer(text, reference, kind).correct);
        expect(wrong).toEqual([]);
        for (const [i, [, reference]] of pairs.entries()) {
          const [text, other] = pairs[(i + 7) % count]!;
          expect(gradeAnswer(text, reference, kind).correct).toBe(same(other, reference));
        }
      },
    );
  },
);

function same(left: string, right: string): boolean {
  const [one, other] = [left, right].map((text) => text.replaceAll(',', ''));
  return one === other || Number(one) === Number(other);
}
