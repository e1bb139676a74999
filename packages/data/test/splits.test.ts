import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  generateSplits,
  hashQuestion,
  modularArithmetic,
  type ReasoningRecord,
  recordsDigest,
  splitRecords,
  withoutQuestions,
} from '../src/index.js';

const questions = (records: readonly ReasoningRecord[]) => records.map((record) => record.question);
const record = (question: string): ReasoningRecord => ({ question, steps: ['s'], answer: 'a' });

describe('hashQuestion', () => {
  it('is sha256 of the normalised text', () => {
    expect(hashQuestion('1 +2 ?')).toBe(createHash('sha256').update('1 +2 ?').digest('hex'));
    expect(hashQuestion('  Is\tTom\r\na LEMPUS? ')).toBe(hashQuestion('is tom a lempus?'));
    expect(hashQuestion('ﬁve')).toBe(hashQuestion('five'));
    expect(hashQuestion('1 +2 ?')).not.toBe(hashQuestion('1 +3 ?'));
  });
});

describe('recordsDigest', () => {
  it('is sha256 over one canonical JSON line a record', () => {
    const records: ReasoningRecord[] = [{ answer: 'a', steps: ['s', 't'], question: 'q' }];
    const line = '{"question":"q","steps":["s","t"],"answer":"a"}\n';
    expect(recordsDigest(records)).toBe(createHash('sha256').update(line).digest('hex'));
    expect(recordsDigest([...records, record('r')])).not.toBe(recordsDigest([record('r'), ...records]));
  });
});

describe('splitRecords', () => {
  it('keeps every record, keeps a question on one side, and does not read the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.nat(),
        (ids, seed, part) => {
          const records = ids.map((id) => record(`q ${id}`));
          const wanted = part % (records.length + 1);
          const { train, validation } = splitRecords(records, { validation: wanted, seed });
          expect([...questions(train), ...questions(validation)].sort()).toEqual(questions(records).sort());
          expect(withoutQuestions(train, validation).removed).toBe(0);
          expect(validation.length).toBeLessThanOrEqual(wanted);
          if (new Set(ids).size === ids.length) expect(validation).toHaveLength(wanted);
          const reversed = splitRecords([...records].reverse(), { validation: wanted, seed });
          expect(questions(reversed.validation).sort()).toEqual(questions(validation).sort());
        },
      ),
    );
  });

  it('refuses more than there is', () => {
    expect(() => splitRecords([record('q')], { validation: 2, seed: 0 })).toThrow('integer in [0, 1], got 2');
  });
});

describe('withoutQuestions', () => {
  it('removes by hash and says how many', () => {
    const train = [record('A b'), record('c'), record('a  B'), record('d')];
    expect(withoutQuestions(train, [record('a b'), record('e')])).toEqual({
      records: [record('c'), record('d')],
      removed: 2,
    });
  });
});

describe('generateSplits', () => {
  // 10 * 21 questions of one operation: splits of this size must collide.
  const small = modularArithmetic({ operations: 1 });

  it('gives the sizes asked for and shares no question', () => {
    const splits = generateSplits(small, { train: 300, validation: 40, test: 60, seed: 1 });
    expect([splits.train.length, splits.validation.length, splits.test.length]).toEqual([300, 40, 60]);
    expect(new Set([...questions(splits.validation), ...questions(splits.test)]).size).toBe(100);
    expect(withoutQuestions(splits.train, [...splits.validation, ...splits.test]).removed).toBe(0);
    expect(splits.dropped.train).toBeGreaterThan(100);
    expect(splits.dropped.test).toBeGreaterThan(0);
  });

  it('repeats for a seed; more training rows leave validation and test as they are', () => {
    const sizes = { train: 30, validation: 10, test: 10, seed: 5 };
    const splits = generateSplits(small, sizes);
    expect(generateSplits(small, sizes)).toEqual(splits);
    const larger = generateSplits(small, { ...sizes, train: 60 });
    expect([larger.validation, larger.test]).toEqual([splits.validation, splits.test]);
    expect(generateSplits(small, { ...sizes, seed: 6 }).test).not.toEqual(splits.test);
  });

  it('says so when the task has too few questions', () => {
    expect(() => generateSplits(small, { train: 1, validation: 0, test: 300, seed: 0 })).toThrow(
      /expected 300 test rows of modular-arithmetic with questions of their own, got \d+/,
    );
  });
});
