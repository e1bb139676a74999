import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { gradeAnswer, parallelism, passAtKReport, topCandidates, wilsonInterval } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the example in the README runs', () => {
  const example = /```ts\nimport [^\n]*\n([\s\S]*?)```/.exec(readme)![1]!;
  const run = new Function(
    ...['gradeAnswer', 'parallelism', 'passAtKReport', 'topCandidates'],
    `${example}; return { graded, report, effectivePaths, ratio, supportNats, randomSupportNats };`,
  );
  const result = run(gradeAnswer, parallelism, passAtKReport, topCandidates);
  expect(result.graded).toEqual({ correct: true, extracted: '\\frac{1}{2}' });
  expect(result.report).toMatchObject({ value: 0.5, interval: wilsonInterval(1, 2) });
  expect(result.effectivePaths).toBeGreaterThan(1.9);
  expect(result.supportNats).toBeGreaterThan(result.randomSupportNats);
});

it('the README names every function that the package exports', async () => {
  const names = Object.keys(await import('../src/index.js'));
  const unnamed = names.filter((name) => !readme.includes(name));
  const inGroups = ['extractBoxed', 'extractAfterHashes', 'extractAfterPhrase', 'lastNumber'].concat(
    ['gradeExact', 'gradeNumeric', 'gradeChoice', 'gradeList', 'gradeLatex', 'cosineSimilarity'],
    ['shuffleWithinItems', 'latentsOfOtherItems', 'meanLatents', 'zeroLatents'],
  );
  expect(unnamed.filter((name) => !inGroups.includes(name))).toEqual([]);
});
