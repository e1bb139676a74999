import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../src/index.js';
import { tokenizerFromGguf } from '../src/tokenizers/gguf-tokenizer.js';
import { huggingFaceTokenizer } from '../src/tokenizers/huggingface-tokenizer.js';
import { byteLevelFile, byteLevelMetadata, fixture } from './byte-level.js';

const markers = { think: '<think>', end: '</think>' };
const folder = mkdtempSync(join(tmpdir(), 'byte-level-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.entries(fixture.rules))('byte-level encoding by the rule of %s', (rule, expected) => {
  const back = (i: number) => expected.decoded[i] ?? fixture.texts[i];

  it(`gives the ids and the texts of the Rust library from a GGUF (${fixture.made_by})`, () => {
    const tokenizer = huggingFaceTokenizer(
      { ...tokenizerFromGguf(byteLevelMetadata(rule), 'x.gguf'), ...markers },
      'x.gguf',
    );
    fixture.texts.forEach((text, i) => {
      expect([text, tokenizer.encode(text)]).toEqual([text, expected.ids[i]]);
      expect(tokenizer.decode(expected.ids[i]!)).toBe(back(i));
    });
  });

  it('gives them from the tokenizer.json of such a model', async () => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(byteLevelFile(rule)));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|end|>' }));
    const tokenizer = await loadTokenizer(folder);
    fixture.texts.forEach((text, i) => {
      expect([text, tokenizer.encode(text)]).toEqual([text, expected.ids[i]]);
      expect(tokenizer.decode(expected.ids[i]!)).toBe(back(i));
    });
  });
});
