import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ReasoningRecord,
  reachability,
  reachabilitySymbols,
  readRecordFile,
  symboliseReachability,
  wordTokenizer,
} from '../src/index.js';
import { NOUNS, PEOPLE } from '../src/tasks/reachability/names.js';
import { meanStatistics } from './graph-statistics.js';
import { sharedFile } from './shared-data.js';

const valid = sharedFile('prosqa/valid.json');

// Means over the 300 rows of ProsQA's prosqa_valid.json (facebookresearch/coconut 27273cb, sha256 c74e0de2…),
// by meanStatistics; the test on the real file checks that they are.
const PROSQA_MEANS = {
  nodes: 22.82,
  edges: 36.26,
  roots: 2.5133,
  leaves: 7.4233,
  length: 3.7533,
  'chain is shortest': 1,
  'shortest ways': 1.6133,
  'wrong is reached': 0,
  'wrong depth': 2.0567,
  'in-degree of target': 1.5,
  'in-degree of wrong': 2.0867,
  'out-degree of root': 2.92,
  'out-degree of target': 0,
  'out-degree of wrong': 0,
  'reached by root': 13.3733,
  'depth of root': 3.9533,
  'ancestors of target': 7.2333,
  'ancestors of wrong': 5.58,
};

const PROSQA_SHARES = {
  'target named first': 0.48,
  'place of chain facts': 0.497,
  'chain facts in order': 0.1067,
  'share of in-degree 0': 0.1107,
  'share of in-degree 1': 0.4369,
  'share of in-degree 2': 0.2773,
  'share of in-degree 3': 0.1232,
  'share of in-degree 4': 0.0373,
  'share of out-degree 0': 0.3249,
  'share of out-degree 1': 0.2337,
  'share of out-degree 2': 0.1755,
  'share of out-degree 3': 0.1374,
  'share of out-degree 4': 0.0762,
  'share of length 3': 0.4133,
  'share of length 4': 0.4433,
  'share of length 5': 0.12,
  'share of length 6': 0.0233,
};

describe('reachability', () => {
  const records = reachability().generate(3000, 1);

  it('has the sizes, degrees and depths of ProsQA', () => {
    const means = meanStatistics(records);
    for (const [name, real] of Object.entries(PROSQA_MEANS)) {
      expect(Math.abs(means[name]! - real), name).toBeLessThanOrEqual(0.06 * real);
    }
    for (const [name, real] of Object.entries(PROSQA_SHARES)) {
      expect(Math.abs(means[name]! - real), name).toBeLessThan(0.025);
    }
    expect(Math.abs(means.nodes! - PROSQA_MEANS.nodes)).toBeLessThan(0.01 * PROSQA_MEANS.nodes);
    expect(Math.abs(means.edges! - PROSQA_MEANS.edges)).toBeLessThan(0.02 * PROSQA_MEANS.edges);
  });

  it.skipIf(valid.missing)('is compared with what the real file says', async () => {
    const means = meanStatistics((await readRecordFile(valid.path, 'prosqa')).records);
    for (const [name, real] of Object.entries({ ...PROSQA_MEANS, ...PROSQA_SHARES })) {
      expect(means[name], name).toBeCloseTo(real, 3);
    }
  });

  it.skipIf(valid.missing)('shares no name with the real file', async () => {
    const words = new Set(
      (await readRecordFile(valid.path, 'prosqa')).records.flatMap(({ question }) => question.match(/\w+/g)!),
    );
    expect([...NOUNS, ...PEOPLE].filter((name) => words.has(name))).toEqual([]);
    expect(new Set([...NOUNS, ...PEOPLE]).size).toBe(NOUNS.length + PEOPLE.length);
  });

  it('gives the rows of a seed, whatever the count', () => {
    expect(reachability().generate(3, 1)).toEqual(records.slice(0, 3));
    expect(reachability().generate(3, 2)).not.toEqual(records.slice(0, 3));
  });

  it('steps through facts of the question, from the asked one to the answer', () => {
    for (const { question, steps, answer } of records.slice(0, 200)) {
      for (const step of steps) expect(question).toContain(step);
      const [, root, first, second] = /Is (\w+) a (\w+) or (\w+)\?$/.exec(question)!;
      expect(steps[0]!.startsWith(`${root} is a `)).toBe(true);
      expect([`${root} is a ${first}.`, `${root} is a ${second}.`]).toContain(answer);
      expect(steps.at(-1)!.split(' ').at(-1)).toBe(answer.split(' ').at(-1));
    }
  });

  it('stays in its vocabulary', () => {
    const tokenizer = wordTokenizer(reachability().vocabulary);
    for (const { question, steps, answer } of records)
      tokenizer.encode([question, ...steps, answer].join(' '));
  });
});

describe('symboliseReachability', () => {
  const record: ReasoningRecord = {
    question: 'Every terpus is a lempus. Tom is a terpus. Alex is a scrompus. Is Tom a scrompus or lempus?',
    steps: ['Tom is a terpus.', 'Every terpus is a lempus.'],
    answer: 'Tom is a lempus.',
  };

  it('writes two words a fact in the order of the text, then ?, the root and the choices', () => {
    const { question, steps, answer } = symboliseReachability(record, 0);
    const [terpus, lempus, tom, again, alex, scrompus, mark, ...asked] = question.split(' ');
    expect(mark).toBe('?');
    expect(again).toBe(terpus);
    expect(asked).toEqual([tom, scrompus, lempus]);
    expect(new Set([terpus, lempus, tom, alex, scrompus]).size).toBe(5);
    expect(steps).toEqual([`${tom} ${terpus}`, `${terpus} ${lempus}`]);
    expect(answer).toBe(lempus);
  });

  it('depends on the question and the seed alone', () => {
    expect(symboliseReachability(record, 4)).toEqual(symboliseReachability({ ...record }, 4));
    expect(symboliseReachability(record, 5)).not.toEqual(symboliseReachability(record, 4));
  });

  it('loses nothing: the graph is the same up to names', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, symbolSeed) => {
        const [text] = reachability().generate(1, seed) as [ReasoningRecord];
        const symbols = symboliseReachability(text, symbolSeed);
        const [facts] = symbols.question.split(' ? ') as [string];
        const names = text.question.match(/(?:Every )?\w+ is a \w+\./g)!.flatMap((fact) => {
          const words = fact.slice(0, -1).split(' ');
          return [words.at(-4)!, words.at(-1)!];
        });
        const nameOf = new Map(facts.split(' ').map((symbol, index) => [symbol, names[index]!]));
        expect(facts.split(' ').map((symbol) => nameOf.get(symbol))).toEqual(names);
        expect(new Set(nameOf.values()).size).toBe(nameOf.size);
        expect(nameOf.get(symbols.answer)).toBe(text.answer.slice(0, -1).split(' ').at(-1));
      }),
      { numRuns: 50 },
    );
  });

  it('is what the task gives in the form of symbols', () => {
    const task = reachability({ form: 'symbols' });
    const tokenizer = wordTokenizer(task.vocabulary);
    expect(task.vocabulary).toBe(reachabilitySymbols);
    expect(tokenizer.vocabulary).toHaveLength(5 + 33);
    for (const { question, steps, answer } of task.generate(100, 3)) {
      for (const text of [question, ...steps, answer])
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it.skipIf(valid.missing)('reads all 300 real rows', async () => {
    const { records } = await readRecordFile(valid.path, 'prosqa');
    const tokenizer = wordTokenizer(reachabilitySymbols);
    for (const real of records) {
      const symbols = symboliseReachability(real, 0);
      expect(tokenizer.encode(symbols.question)).toHaveLength(2 * (real.question.match(/\./g)!.length + 2));
      expect(symbols.steps).toHaveLength(real.steps.length);
      expect(symbols.question.split(' ').slice(-2)).toContain(symbols.answer);
    }
  });

  it('says which sentence it cannot read', () => {
    expect(() =>
      symboliseReachability({ ...record, question: 'Tom has a terpus. Is Tom a lempus or c?' }, 0),
    ).toThrow(
      'symboliseReachability: expected a fact "Every x is a y." or "Tom is a x.", got "Tom has a terpus."',
    );
    expect(() => symboliseReachability({ ...record, question: '1 +2 ?' }, 0)).toThrow('expected a question');
    expect(() => symboliseReachability({ ...record, answer: 'Tom is a cat.' }, 0)).toThrow(
      'expected an answer that is scrompus or lempus, got "Tom is a cat."',
    );
    const facts = Array.from({ length: 40 }, (_, index) => `Every n${index} is a n${index + 1}.`).join(' ');
    expect(() => symboliseReachability({ ...record, question: `${facts} Is Tom a lempus or b?` }, 0)).toThrow(
      'expected at most 32 names, got 45',
    );
  });
});
