import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  characterTokenizer,
  generationTokenIds,
  loadTokenizer,
  saveTokenizer,
  tokenizerDigest,
  tokenizerFromJSON,
  wordTokenizer,
} from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'saved-tokenizer-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a word or character tokenizer in a model folder', () => {
  it.each([
    ['words', wordTokenizer(['3 +4 constructor *7 __proto__ ? 11'])],
    ['characters', characterTokenizer(['a b\nc \u{1f600}'])],
  ])('is the same tokenizer again: %s', async (_, tokenizer) => {
    saveTokenizer(tokenizer, folder);
    expect(tokenizerDigest(await loadTokenizer(folder))).toBe(tokenizerDigest(tokenizer));
  });

  it('is refused where something of it was changed', async () => {
    saveTokenizer(wordTokenizer(['3 +4']), folder);
    const file = join(folder, 'tokenizer.json');
    const content = JSON.parse(readFileSync(file, 'utf8'));
    const changes = [
      { model: { ...content.model, vocab: { ...content.model.vocab, 'two words': 7 } } },
      { model: { ...content.model, vocab: { ...content.model.vocab, '3': 9 } } },
      { normalizer: { type: 'Lowercase' } },
      { model: { type: 'WordLevel' } },
    ];
    for (const change of changes) {
      writeFileSync(file, JSON.stringify({ ...content, ...change }));
      await expect(loadTokenizer(folder)).rejects.toThrow('expected model.type BPE');
    }
  });
});

describe('generationTokenIds', () => {
  const vocab = { a: 0, b: 1, '<bos>': 2, '<eos>': 3 };
  const pretrained = (settings: object) =>
    tokenizerFromJSON({
      kind: 'huggingface',
      file: {
        added_tokens: [{ id: 4, content: '<pad>', special: true }],
        pre_tokenizer: null,
        model: { type: 'BPE', vocab, merges: [] },
      },
      settings: { eos_token: '<eos>', ...settings },
      think: 'a',
      end: 'b',
    });

  it('finds them in the vocabulary and among the added tokens', () => {
    expect(generationTokenIds(pretrained({ bos_token: '<bos>', pad_token: '<pad>' }))).toEqual({
      bos: 2,
      eos: 3,
      pad: 4,
    });
  });

  it('is null for tokens that there are none of', () => {
    expect(generationTokenIds(pretrained({}))).toEqual({ bos: null, eos: 3, pad: null });
    expect(generationTokenIds(wordTokenizer(['a']))).toEqual({ bos: null, eos: 4, pad: 0 });
  });
});
