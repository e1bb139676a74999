import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { latentSft, sentenceOf } from './command-line.js';
import { temporaryFolder, write } from './tiny-run.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const row = (question: string, answer: string) => JSON.stringify({ question, answer });
const gsm8k = write(
  folder,
  'gsm8k.jsonl',
  [
    row('How many?', '1 + 1 = <<1+1=2>>2, twice <<2*2=4>>4\n#### 4'),
    row('How much?', '<<1+1=3>>3\n#### 3'),
    row('How long?', '<<1+1=2>>2\n#### 9'),
    row('How far?', 'Far.\n#### 9'),
  ].join('\n'),
);
const own = write(folder, 'own.csv', 'q,rationale,label\n"a","b\nc",1\n"",x,3\n"d",e,4\n');
const fields = 'question=q,chain=rationale,answer=label';

describe('data inspect', () => {
  it('says what a file is, how it will be cut, and what is left out of it', async () => {
    const { code, out } = await latentSft(['data', 'inspect', gsm8k, '--rate', '1']);
    expect(code).toBe(0);
    expect(out).toMatch(/^file {5}.*gsm8k\.jsonl, 238 bytes, sha256 [0-9a-f]{64}$/m);
    expect(out).toMatch(/^format {3}gsm8k in jsonl, told from its first row$/m);
    expect(out).toMatch(/^records {2}1 of 4, 3 left out/m);
    expect(out).toMatch(/^latents +2 +2 +2 +2 +2$/m);
    expect(out).toContain(
      'segments, cut every 1 tokens:\n  line 1: How many?\n    [<<1+1=2>>] [<<2*2=4>>]\n',
    );
    expect(out).toContain('chains with a step that does not recompute: 1\n  line 2: <<1+1=3>>\n');
    expect(out).toContain(
      'chains that do not end in the answer: 1\n  line 3: <<1+1=2>>, yet the answer is 9\n',
    );
    expect(out).toContain('records without a chain: 1\n  line 4: no step\n');
  });

  it('lists rows that are none, and ends with code 2', async () => {
    const outcome = await latentSft(['data', 'inspect', own, '--fields', fields]);
    expect(outcome.code).toBe(2);
    expect(outcome.out).toContain(
      'rows that are no record: 1\n  line 4: expected field "q" as a text that is not empty, got ""',
    );
    expect(outcome.out).toContain('format   fields by name in csv');
    expect(sentenceOf(outcome)).toMatch(
      /expected every row of .*own\.csv to be a record, got 1 that are not$/,
    );
  });

  it('gives the same as JSON', async () => {
    const { code, out } = await latentSft([
      'data',
      'inspect',
      gsm8k,
      '--by',
      'step',
      '--chains',
      'all',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      description: { format: 'gsm8k', container: 'jsonl', records: 4, rows: 4, dropped: 0 },
      lengths: { latents: { smallest: 0, largest: 2 } },
      tokenizer: 'words',
      segmenter: 'by step',
    });
  });

  it('bounds what it lists', async () => {
    const many = write(folder, 'many.jsonl', Array(50).fill('{').join('\n'));
    const { out } = await latentSft(['data', 'inspect', many]);
    expect(out).toContain('rows that are no record: 50\n');
    expect(out).toContain('  and 40 more');
    expect(out.split('\n').length).toBeLessThan(25);
  });

  it.each([
    ['no file', [join(folder, 'none.jsonl')], 'none.jsonl, got no such file'],
    ['an unknown format', [gsm8k, '--format', 'gms8k'], 'expected a format of auto, prosqa'],
    ['fields without an answer', [own, '--fields', 'question=q'], 'expected fields for question and answer'],
    ['an unknown part', [own, '--fields', 'questoin=q'], 'expected question=field,chain=field,answer=field'],
    ['two tokenizers', [gsm8k, '--model', folder, '--tokenizer', 'words'], 'either --model <reference> or'],
    ['a folder without a tokenizer', [gsm8k, '--model', folder], 'tokenizer'],
    ['a misspelt option', [gsm8k, '--rat', '2'], "unknown option '--rat'"],
  ])('refuses %s', async (_name, words, sentence) => {
    const outcome = await latentSft(['data', 'inspect', ...words]);
    expect(sentenceOf(outcome)).toContain(sentence);
    expect(outcome).toMatchObject({ code: 2, out: '' });
  });
});

describe('data convert', () => {
  it('writes our records, and what it wrote reads as the same', async () => {
    const to = join(folder, 'out.jsonl');
    const { code, out } = await latentSft([
      'data',
      'convert',
      gsm8k,
      '--to',
      to,
      '--chains',
      'all',
      '--json',
    ]);
    expect(code).toBe(0);
    const result = JSON.parse(out) as { digest: string };
    expect(result).toMatchObject({ records: 4, from: { rows: 4, dropped: 0 } });
    expect(readFileSync(to, 'utf8').split('\n')[0]).toBe(
      '{"question":"How many?","steps":["<<1+1=2>>","<<2*2=4>>"],"answer":"4"}',
    );
    const again = JSON.parse((await latentSft(['data', 'inspect', to, '--json'])).out) as object;
    expect(again).toMatchObject({ description: { format: 'jsonl', digest: result.digest } });
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('writes nothing when a row is wrong, and replaces nothing unless told to', async () => {
    const to = join(folder, 'own.jsonl');
    const refused = await latentSft(['data', 'convert', own, '--to', to, '--fields', fields]);
    expect(sentenceOf(refused)).toMatch(
      /expected field "q" as a text that is not empty on line 4 of .*own\.csv/,
    );
    expect([refused.code, existsSync(to)]).toEqual([2, false]);

    const kept = write(folder, 'kept.jsonl', 'kept');
    const outcome = await latentSft(['data', 'convert', gsm8k, '--to', kept]);
    expect(sentenceOf(outcome)).toContain('kept.jsonl, got one; --overwrite replaces it');
    expect(readFileSync(kept, 'utf8')).toBe('kept');
    expect(await latentSft(['data', 'convert', gsm8k, '--to', kept, '--overwrite'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 records of 4 in .*kept\.jsonl, 3 left out, digest [0-9a-f]{64}\n$/),
    });
  });

  it.each([
    ['no target', [gsm8k], 'expected --to <file>'],
    ['another kind of file', [gsm8k, '--to', join(folder, 'out.csv')], 'expected --to with a .jsonl file'],
    ['a folder that is not there', [gsm8k, '--to', join(folder, 'none', 'out.jsonl')], 'ENOENT'],
    [
      'empty chains when told to',
      [gsm8k, '--to', join(folder, 'e.jsonl'), '--chains', 'all', '--empty-chain', 'error'],
      'expected a chain with at least one step on line 4',
    ],
  ])('refuses %s', async (_name, words, sentence) => {
    const outcome = await latentSft(['data', 'convert', ...words]);
    expect(sentenceOf(outcome)).toContain(sentence);
    expect(outcome).toMatchObject({ code: 2, out: '' });
  });
});
