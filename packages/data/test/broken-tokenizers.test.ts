import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadTokenizer, tokenizerFromJSON } from '../src/index.js';
import { tokenizerFromGguf } from '../src/tokenizers/gguf-tokenizer.js';
import { byteLevelFile, byteLevelMetadata, fixture } from './byte-level.js';

const folder = mkdtempSync(join(tmpdir(), 'broken-tokenizers-'));
const file = join(folder, 'tokenizer.json');
const config = join(folder, 'tokenizer_config.json');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(config, '{"eos_token":"<|end|>"}'));

const whole = () => byteLevelFile('qwen2');
const [first] = fixture.tokens;

describe('a broken tokenizer.json: one clear error', () => {
  const broken: readonly (readonly [string, unknown, string])[] = [
    ['a list', [], 'expected a tokenizer'],
    ['null', null, 'expected a tokenizer'],
    ['no model', { ...whole(), model: undefined }, 'at model'],
    ['a model that is a text', { ...whole(), model: 'BPE' }, 'at model'],
    ['another kind of model', withModel({ type: 'WordPiece' }), 'expected model.type BPE'],
    ['no vocabulary', withModel({ vocab: undefined }), 'expected model.vocab as an object of ids'],
    ['a vocabulary as a list', withModel({ vocab: [['a', 0]] }), 'expected model.vocab as an object of ids'],
    ['an empty vocabulary', withModel({ vocab: {}, merges: [] }), 'expected a vocabulary with a token'],
    ['no merges', withModel({ merges: null }), 'expected model.merges as a list'],
    ['an id twice', withToken('zzz', 5), 'expected one token for id 5'],
    ['a negative id', withToken('zzz', -1), 'for token "zzz" in'],
    ['an id that is a text', withToken('zzz', '7'), 'got "7"'],
    ['half an id', withToken('zzz', 7.5), 'got 7.5'],
    ['an id that would need a huge table', withToken('zzz', 4e9), 'expected an id in [0, 4194304]'],
    ['a merge of one piece', withMerge('ab'), 'expected two pieces in model.merges[0]'],
    ['a merge of three pieces', withMerge('a b c'), 'expected two pieces in model.merges[0]'],
    ['a merge with nothing, which would go round', withMerge(['', 'a']), 'got ["","a"]'],
    ['a merge of numbers', withMerge([1, 2]), 'got [1,2]'],
    ['a merge of an unknown piece', withMerge([first, 'nowhere']), 'model.merges[0] in'],
    ['a merge to an unknown token', withMerge(['z', 'q']), 'got "zq"'],
    [
      'an unknown pre_tokenizer',
      { ...whole(), pre_tokenizer: { type: 'Magic' } },
      'pre_tokenizer.type one of',
    ],
    [
      'an unknown part of a pre_tokenizer',
      { ...whole(), pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Magic' }] } },
      'expected pre_tokenizer.pretokenizers[0].type one of',
    ],
    [
      'a sequence without parts',
      { ...whole(), pre_tokenizer: { type: 'Sequence' } },
      'pre_tokenizer.pretokenizers as a list',
    ],
    ['a part that is a number', { ...whole(), decoder: { type: 'Sequence', decoders: [7] } }, 'as an object'],
    [
      'a split that would be read as another',
      {
        ...whole(),
        pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 'MergedWithNext' },
      },
      'behavior Isolated or Removed',
    ],
    ['sequences in sequences', { ...whole(), normalizer: nested(20) }, 'in at most 8 levels in'],
    [
      'a broken pattern',
      { ...whole(), pre_tokenizer: { type: 'Split', pattern: { Regex: '([' }, behavior: 'Isolated' } },
      'expected a tokenizer that @huggingface/tokenizers reads',
    ],
    ['an unknown normalizer', { ...whole(), normalizer: { type: 7 } }, 'normalizer.type one of'],
    ['an added token without text', withAdded({ id: 900, content: '' }), 'at added_tokens.0.content'],
    ['an added token far away', withAdded({ id: 2 ** 31, content: '<x>' }), 'at added_tokens.0.id'],
    [
      "an added token in another one's place",
      withAdded({ id: 5, content: '<x>' }),
      'expected one token for id 5',
    ],
    [
      'an added token that must be a whole word',
      withAdded({ id: 900, content: '<x>', single_word: true }),
      'whole-word tokens are unknown here',
    ],
    ['added tokens as an object', { ...whole(), added_tokens: {} }, 'at added_tokens'],
  ];
  it.each(broken)('%s', async (_name, value, message) => {
    writeFileSync(file, JSON.stringify(value));
    const error = await loadTokenizer(folder).catch((caught: Error) => caught);
    expect(String(error)).toContain(message);
    expect(String(error)).toMatch(/^Error: loadTokenizer: expected .*tokenizer\.json/s);
  });

  it('cut off, empty, or no text at all', async () => {
    const text = JSON.stringify(whole());
    for (const content of [text.slice(0, 1000), '', '\0\0\0', '{"model":']) {
      writeFileSync(file, content);
      await expect(loadTokenizer(folder)).rejects.toThrow(`loadTokenizer: expected JSON in ${file}, got`);
    }
  });

  it('too large to be one, without reading it', async () => {
    writeFileSync(file, '');
    truncateSync(file, 2 ** 31);
    await expect(loadTokenizer(folder)).rejects.toThrow(`in ${file}, got 2147483648`);
    rmSync(file);
  });

  it('missing', async () => {
    rmSync(file, { force: true });
    await expect(loadTokenizer(folder)).rejects.toThrow(`expected tokenizer.json in ${folder}, got none`);
    await expect(loadTokenizer(join(folder, 'nowhere'))).rejects.toThrow('got no ');
    await expect(loadTokenizer(config)).rejects.toThrow('expected a model folder or a GGUF file, got');
  });

  it('but a byte-order mark is no harm, nor a token named __proto__', async () => {
    const text = JSON.stringify(whole()).replace(/"vocab":\{/, '"vocab":{"__proto__":900,');
    writeFileSync(file, `\uFEFF${text}`);
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.decode([900])).toBe('__proto__');
    expect(tokenizer.decode([899, 900])).toBe('<unused 899>__proto__');
    const copy = tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(copy.decode([900])).toBe('__proto__');
  });
});

describe('broken settings: one clear error', () => {
  it.each([
    ['no eos', {}, 'expected an eos_token in'],
    ['an unknown eos', { eos_token: '<nope>' }, 'expected eos_token as a token of the vocabulary'],
    ['an eos that is a number', { eos_token: 7 }, 'at eos_token: expected a token as a text or as {content}'],
    ['a template that is a number', { eos_token: '<|end|>', chat_template: 7 }, 'at chat_template'],
    ['a list', [], 'expected tokenizer settings in'],
  ])('%s', async (_name, value, message) => {
    writeFileSync(file, JSON.stringify(whole()));
    writeFileSync(config, JSON.stringify(value));
    await expect(loadTokenizer(folder)).rejects.toThrow(message);
  });

  it('reads tokens as objects, and of several templates the default', async () => {
    writeFileSync(file, JSON.stringify(whole()));
    writeFileSync(
      config,
      JSON.stringify({
        eos_token: { content: '<|end|>', lstrip: false },
        pad_token: null,
        chat_template: [
          { name: 'tool_use', template: 'x' },
          { name: 'default', template: 'y' },
        ],
      }),
    );
    const tokenizer = await loadTokenizer(folder, { think: '<tool>', end: '<|user|>' });
    expect(tokenizer.chatTemplate).toMatchObject({
      text: 'y',
      source: config,
      tokens: { eos_token: '<|end|>' },
    });
    const { eos, pad, compress, think, end } = tokenizer.special;
    expect([eos, pad, compress]).toEqual([eos, eos, eos]);
    expect(tokenizer.decode([...think, ...end])).toBe('<tool><|user|>');
    expect([think.length, end.length]).toEqual([1, 1]);
    await expect(loadTokenizer(folder, { think: '' })).rejects.toThrow('expected a marker with a token');
  });
});

describe('a broken tokenizer in a GGUF: one clear error', () => {
  it.each([
    ['model', undefined, 'expected "gpt2" (byte-level BPE) as tokenizer.ggml.model in x.gguf, got nothing'],
    ['model', 'llama', 'got "llama"'],
    ['model', 7n, 'got 7'],
    ['pre', undefined, 'expected one of gpt-2, smollm, llama-bpe, qwen2 as tokenizer.ggml.pre'],
    ['pre', 'constructor', 'got "constructor"'],
    ['tokens', undefined, 'expected a list of texts as tokenizer.ggml.tokens'],
    ['tokens', ['a', 7], 'expected a text at place 1'],
    ['tokens', ['a', 'a'], 'one a token'],
    ['token_type', [1], 'numbers, one a token,'],
    ['token_type', 'x', 'numbers, one a token,'],
    ['merges', undefined, 'expected a list of texts as tokenizer.ggml.merges'],
    ['merges', ['ab'], 'expected two pieces in model.merges[0]'],
    ['merges', ['z q'], 'got "zq"'],
    ['merges', [' a'], 'expected two pieces in model.merges[0]'],
    ['eos_token_id', 1e6, 'as tokenizer.ggml.eos_token_id in x.gguf, got 1000000'],
    ['eos_token_id', 'x', 'as tokenizer.ggml.eos_token_id in x.gguf'],
  ])('%s: %#', (name, value, message) => {
    const metadata = { ...byteLevelMetadata('smollm'), [`tokenizer.ggml.${name}`]: value };
    expect(() => tokenizerFromGguf(metadata, 'x.gguf')).toThrow(message);
  });
});

it('a kind of token that there is not in a GGUF', () => {
  const metadata = byteLevelMetadata('smollm');
  (metadata['tokenizer.ggml.token_type'] as number[])[3] = 9;
  expect(() => tokenizerFromGguf(metadata, 'x.gguf')).toThrow('a number in [1, 6] for token 3');
});

function withModel(changes: object) {
  return { ...whole(), model: { ...whole().model, ...changes } };
}

function withToken(token: string, id: unknown) {
  return withModel({ vocab: { ...whole().model.vocab, [token]: id } });
}

function withMerge(merge: unknown) {
  return withModel({ merges: [merge, ...fixture.merges] });
}

function withAdded(token: object) {
  return { ...whole(), added_tokens: [token, ...whole().added_tokens] };
}

function nested(depth: number): object {
  return depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };
}
