import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { extractBoxed, gradeAnswer } from '../src/index.js';

// The MATH problems outside MATH-500, and the first rows of MATH-500 and AIME: beside the repository, not in it.
const data = new URL('../../../../shared/data/', import.meta.url);
const math = new URL('math/train_4500.jsonl', data);

function rows(path: URL | string): { readonly solution: string; readonly answer?: string | number }[] {
  const lines = readFileSync(new URL(path, data), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

describe.skipIf(!existsSync(math))('the references of MATH (skipped where the files are missing)', () => {
  const references = existsSync(math) ? rows(math).map(({ solution }) => extractBoxed(solution)!) : [];

  it('each is right against itself, out of its solution', () => {
    const right = rows(math).filter(
      ({ solution }, i) => gradeAnswer(solution, references[i]!, 'latex').correct,
    );
    expect(right).toHaveLength(4500);
  });

  it('each is wrong against another one, unless they are the same number or text', () => {
    const pairs = references.map((reference, i) => [references[(i + 1777) % references.length]!, reference]);
    const equal = pairs.filter(
      ([other, reference]) =>
        other !== reference && gradeAnswer(`\\boxed{${other}}`, reference!, 'latex').correct,
    );
    expect(equal).toEqual([
      ['x = -1', '-1'],
      ['x = 4', '4'],
      ['52', '52^\\circ'],
    ]);
  });

  it('MATH-500 and AIME: each is right against its solution', () => {
    for (const file of ['samples/math500.head20.jsonl', 'samples/aime24.head3.jsonl']) {
      for (const { solution, answer } of rows(file)) {
        expect(gradeAnswer(solution, String(answer), 'latex').correct, String(answer)).toBe(true);
      }
    }
  });
});
