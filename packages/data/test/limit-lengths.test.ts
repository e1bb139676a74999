import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, limitLengths } from '../src/index.js';

const example = (...segments: number[]) => ({
  prompt: [1, 2, 3],
  think: [4],
  segments: segments.map((length) => Array<number>(length).fill(9)),
  end: [5],
  answer: [6, 7],
});

describe('limitLengths', () => {
  // lengths 7 + 2, 7 + 6, 7 + 5
  const examples = [example(2), example(2, 2, 2), example(5)];

  it('keeps what fits as it is', () => {
    const { kept, dropped, cut } = limitLengths(examples, { maxTokens: 13, tooLong: 'error' });
    expect({ dropped, cut }).toEqual({ dropped: 0, cut: 0 });
    expect(kept.map(({ example }) => example)).toEqual(examples);
  });

  it('drops, with the count and the places of what is left', () => {
    const { kept, dropped, cut } = limitLengths(examples, { maxTokens: 12, tooLong: 'drop' });
    expect({ places: kept.map(({ index }) => index), dropped, cut }).toEqual({
      places: [0, 2],
      dropped: 1,
      cut: 0,
    });
  });

  it('cuts whole segments from the end, and drops what is too long with one', () => {
    const { kept, dropped, cut } = limitLengths(examples, { maxTokens: 11, tooLong: 'cut' });
    expect(kept).toEqual([
      { index: 0, example: examples[0] },
      { index: 1, example: example(2, 2) },
    ]);
    expect({ dropped, cut }).toEqual({ dropped: 1, cut: 1 });
  });

  it('drops a question that alone is too long', () => {
    expect(limitLengths([example()], { maxTokens: 6, tooLong: 'cut' })).toEqual({
      kept: [],
      dropped: 1,
      cut: 0,
    });
  });

  it('names the example that is too long', () => {
    expect(() => limitLengths(examples, { maxTokens: 12, tooLong: 'error' })).toThrow(
      'limitLengths: expected at most 12 tokens an example, got 13 in example 2',
    );
    expect(() => limitLengths(examples, { maxTokens: 0, tooLong: 'drop' })).toThrow('an integer >= 1, got 0');
  });

  it('never keeps too much, and cuts no more than it must', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 6 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        (chains, maxTokens) => {
          const given = chains.map((chain) => example(...chain));
          const { kept, dropped } = limitLengths(given, { maxTokens, tooLong: 'cut' });
          expect(kept.length + dropped).toBe(given.length);
          for (const { index, example: short } of kept) {
            const whole = given[index]!;
            expect(countTokens(short)).toBeLessThanOrEqual(maxTokens);
            const lost = whole.segments[short.segments.length];
            if (lost) expect(countTokens(short) + lost.length).toBeGreaterThan(maxTokens);
          }
        },
      ),
    );
  });
});
