import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  characterTokenizer,
  type ReasoningRecord,
  tokenizeRecord,
  tokenizerDigest,
  tokenizerFromJSON,
  wordTokenizer,
} from '../src/index.js';

const special = ['<pad>', '<think>', '</think>', '<compress>', '<eos>'];

describe('wordTokenizer', () => {
  const tokenizer = wordTokenizer(['3 +4 *7 ?', '+4 7']);

  it('has the special tokens first, then the words as they come', () => {
    expect(tokenizer.vocabulary).toEqual([...special, '3', '+4', '*7', '?', '7']);
    expect(tokenizer.special).toEqual({ pad: 0, think: [1], end: [2], compress: 3, eos: 4 });
    expect(tokenizer.encode(' 7  +4\n3 ')).toEqual([9, 6, 5]);
    expect(tokenizer.decode([1, 9, 6, 2])).toBe('<think> 7 +4 </think>');
  });

  it('names the word that it does not know, and its place', () => {
    expect(() => tokenizer.encode('3 +4 foo ?')).toThrow(
      'wordTokenizer: expected a word of the vocabulary (10 words), got "foo" (word 3 of "3 +4 foo ?")',
    );
    expect(() => tokenizer.encode('<think>')).toThrow('got "<think>"');
    expect(() => tokenizer.decode([10])).toThrow('wordTokenizer: expected an id in [0, 10), got 10');
    expect(() => wordTokenizer(['a <eos>'])).toThrow('expected no unit that is a special token, got "<eos>"');
  });

  it('decodes what it encodes, up to white space', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z+?]{1,4}$/), { minLength: 1 }), (words) => {
        const text = words.join(' ');
        const made = wordTokenizer(words);
        expect(made.decode(made.encode(`\t${words.join('  ')} `))).toBe(text);
        expect(made.encode(text).every((id) => id >= special.length)).toBe(true);
      }),
    );
  });
});

describe('characterTokenizer', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const tokenizer = characterTokenizer([text]);
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order of the texts', () => {
    expect(characterTokenizer(['ba', 'c']).vocabulary).toEqual([...special, 'a', 'b', 'c']);
    expect(tokenizerDigest(characterTokenizer(['c', 'ab']))).toBe(
      tokenizerDigest(characterTokenizer(['ba', 'c'])),
    );
    expect(() => characterTokenizer(['ab']).encode('abc')).toThrow(
      'characterTokenizer: expected a character of the vocabulary (7 characters), got "c" (character 3 of "abc")',
    );
  });
});

describe('tokenizerFromJSON', () => {
  it('gives the tokenizer back, with the same digest', () => {
    for (const tokenizer of [wordTokenizer(['b a']), characterTokenizer(['b a'])]) {
      const copy = tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer)));
      expect(copy.kind).toBe(tokenizer.kind);
      expect(copy.vocabulary).toEqual(tokenizer.vocabulary);
      expect(copy.encode('b a')).toEqual(tokenizer.encode('b a'));
      expect(tokenizerDigest(copy)).toBe(tokenizerDigest(tokenizer));
    }
    expect(tokenizerDigest(wordTokenizer(['a b']))).not.toBe(tokenizerDigest(wordTokenizer(['b a'])));
    expect(tokenizerDigest(wordTokenizer(['a b']))).not.toBe(tokenizerDigest(characterTokenizer(['ab'])));
  });

  it.each([
    [null, 'expected a tokenizer {kind, vocabulary} in t.json'],
    [{ kind: 'bpe', vocabulary: special }, 'at kind'],
    [
      { kind: 'word', vocabulary: ['a'] },
      'expected a vocabulary that starts with <pad> <think> </think> <compress> <eos>',
    ],
    [{ kind: 'word', vocabulary: special, extra: 1 }, 'extra'],
    [
      { kind: 'word', vocabulary: [...special, 'a b'] },
      'expected one word a vocabulary entry in t.json, got "a b"',
    ],
    [{ kind: 'character', vocabulary: [...special, 'ab'] }, 'expected one character a vocabulary entry'],
    [
      { kind: 'word', vocabulary: [...special, 'a', 'a'] },
      'wordTokenizer: expected units that differ, got "a" twice',
    ],
  ])('refuses %j', (value, message) => {
    expect(() => tokenizerFromJSON(value, 't.json')).toThrow(message);
  });
});

describe('tokenizeRecord', () => {
  const record: ReasoningRecord = { question: '3 +4 *7 ?', steps: ['+4 7', '*7 9'], answer: '9' };
  const tokenizer = wordTokenizer([record.question, ...record.steps]);
  const words = (segments: readonly (readonly number[])[]) =>
    segments.map((segment) => tokenizer.decode(segment));

  it('gives the markers, and the answer with eos', () => {
    expect(tokenizeRecord(record, tokenizer, { by: 'step' })).toEqual({
      prompt: tokenizer.encode(record.question),
      think: [1],
      segments: [tokenizer.encode('+4 7'), tokenizer.encode('*7 9')],
      end: [2],
      answer: [...tokenizer.encode('9'), 4],
    });
  });

  it('cuts by rate over the whole chain, whatever the steps', () => {
    expect(words(tokenizeRecord(record, tokenizer, { by: 'rate', rate: 3 }).segments)).toEqual([
      '+4 7 *7',
      '9',
    ]);
    expect(() => tokenizeRecord(record, tokenizer, { by: 'rate', rate: 0 })).toThrow('got 0');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), (rate) => {
        const { segments } = tokenizeRecord(record, tokenizer, { by: 'rate', rate });
        expect(segments.flat()).toEqual(tokenizer.encode(record.steps.join(' ')));
        expect(segments).toHaveLength(Math.ceil(4 / rate));
      }),
    );
  });

  it('cuts by what the text says', () => {
    const written = { ...record, steps: ['3 +4 7\n', '7 *7 9\n9'] };
    expect(words(tokenizeRecord(written, tokenizer, { by: 'line' }).segments)).toEqual([
      '3 +4 7',
      '7 *7 9',
      '9',
    ]);
    const equations = { ...record, steps: ['<<3+4=7>> <<7*7=9>>'] };
    const characters = characterTokenizer(equations.steps.concat(record.question));
    const { segments } = tokenizeRecord(equations, characters, { by: 'equation' });
    expect(segments.map((segment) => characters.decode(segment))).toEqual(['<<3+4=7>>', '<<7*7=9>>']);
  });

  it('gives no segment for an empty chain', () => {
    const empty = { ...record, steps: [] };
    for (const segmenter of [{ by: 'rate', rate: 2 }, { by: 'step' }, { by: 'sentence' }] as const) {
      expect(tokenizeRecord(empty, tokenizer, segmenter).segments).toEqual([]);
    }
  });
});
