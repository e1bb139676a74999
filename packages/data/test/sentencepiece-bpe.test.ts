import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../src/index.js';

const fixture = JSON.parse(
  readFileSync(new URL('./fixtures/sentencepiece.json', import.meta.url), 'utf8'),
) as { made_by: string; file: object; texts: string[]; ids: number[][]; decoded: string[] };

it(`a Llama-2-like tokenizer gives the ids and texts of the Rust library (${fixture.made_by})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentencepiece-'));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(fixture.file));
  writeFileSync(join(folder, 'special_tokens_map.json'), '{"eos_token":"</s>","unk_token":"<unk>"}');
  const tokenizer = await loadTokenizer(folder);
  rmSync(folder, { recursive: true });
  fixture.texts.forEach((text, i) => {
    expect([text, tokenizer.encode(text)]).toEqual([text, fixture.ids[i]]);
    expect(tokenizer.decode(fixture.ids[i]!)).toBe(fixture.decoded[i]);
  });
  expect(tokenizer.special.eos).toBe(2);
});
