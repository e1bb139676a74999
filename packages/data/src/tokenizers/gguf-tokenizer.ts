import { checkTokenizerFile } from './check-tokenizer-file.js';
import { describeValue } from './describe-value.js';
import { GPT2_SPLIT, isolate } from './exact-splits.js';
import type { Component, TokenizerFile } from './tokenizer-file.js';
import type { TokenizerSettings } from './tokenizer-settings.js';

/** How `tokenizer.ggml.pre` splits a text before byte-pair encoding. */
interface SplitRule {
  readonly patterns: readonly string[];
  readonly normalizer: Component | null;
  /** A split that is a token as it stands is not encoded by merges. */
  readonly wholeTokens: boolean;
}

const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

// the rules are those of the models' own tokenizer.json; the names are llama.cpp's
const SPLIT_RULES: Readonly<Record<string, SplitRule>> = {
  'gpt-2': { patterns: [GPT2_SPLIT], normalizer: null, wholeTokens: false },
  smollm: { patterns: ['\\p{N}', GPT2_SPLIT], normalizer: null, wholeTokens: false },
  'llama-bpe': { patterns: [words('\\p{N}{1,3}')], normalizer: null, wholeTokens: true },
  qwen2: { patterns: [words('\\p{N}')], normalizer: { type: 'NFC' }, wholeTokens: false },
};

const CONTROL = 3;
const USER_DEFINED = 4;
const TOKEN_TYPES = 6;

/**
 * The tokenizer inside a GGUF file as a `tokenizer.json` and the settings beside it.
 *
 * @param metadata The file's metadata; read are `tokenizer.ggml.{model, pre, tokens, merges, token_type}`, the ids
 * of bos, eos, padding and unknown, `add_bos_token`, and `tokenizer.chat_template`.
 * @throws if a field is missing or has the wrong type.
 * @throws if the kind of tokenizer or the split rule is unknown here.
 */
export function tokenizerFromGguf(
  metadata: Readonly<Record<string, unknown>>,
  source: string,
): { readonly file: TokenizerFile; readonly settings: TokenizerSettings } {
  const field = (name: string) => metadata[`tokenizer.ggml.${name}`];
  const fail = (name: string, expected: string, got: unknown) =>
    new Error(
      `loadTokenizer: expected ${expected} as tokenizer.ggml.${name} in ${source}, got ${describeValue(got)}`,
    );
  if (field('model') !== 'gpt2') throw fail('model', '"gpt2" (byte-level BPE)', field('model'));
  const pre = field('pre');
  const rule = typeof pre === 'string' && Object.hasOwn(SPLIT_RULES, pre) ? SPLIT_RULES[pre] : undefined;
  if (!rule) throw fail('pre', `one of ${Object.keys(SPLIT_RULES).join(', ')}`, pre);

  const tokens = texts('tokens');
  const types = field('token_type') ?? tokens.map(() => 1);
  if (!Array.isArray(types) || types.length !== tokens.length) {
    const got = Array.isArray(types) ? types.length : types;
    throw fail('token_type', `${tokens.length} numbers, one a token,`, got);
  }
  const wrong = types.findIndex((type) => !Number.isInteger(type) || type < 1 || type > TOKEN_TYPES);
  if (wrong >= 0)
    throw fail('token_type', `a number in [1, ${TOKEN_TYPES}] for token ${wrong}`, types[wrong]);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  if (ids.size < tokens.length) {
    const twice = tokens.findIndex((token, id) => ids.get(token) !== id);
    throw fail('tokens', 'tokens that differ', `${tokens[twice]} twice`);
  }

  const bos = namedToken('bos_token_id');
  const addBos = field('add_bos_token') === true;
  const template = metadata['tokenizer.chat_template'];
  const special = (id: number) => types[id] === CONTROL || types[id] === USER_DEFINED;
  const added = tokens.flatMap((content, id) =>
    special(id) ? [addedToken(id, content, types[id] === CONTROL)] : [],
  );
  const value = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: rule.normalizer,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...rule.patterns.map(isolate),
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: addBos && bos !== undefined ? startsWith(bos, ids.get(bos)!) : BYTE_LEVEL,
    decoder: BYTE_LEVEL,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: rule.wholeTokens,
      vocab: Object.fromEntries(ids),
      merges: texts('merges').map((merge) => merge.split(' ')),
    },
  };
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    add_bos_token: addBos,
    ...present('bos_token', bos),
    ...present('eos_token', namedToken('eos_token_id')),
    ...present('pad_token', namedToken('padding_token_id')),
    ...present('unk_token', namedToken('unknown_token_id')),
    ...(typeof template === 'string' ? { chat_template: template } : {}),
  };
  return { file: checkTokenizerFile(value, source), settings };

  function texts(name: string): string[] {
    const list = field(name);
    if (!Array.isArray(list)) throw fail(name, 'a list of texts', list);
    const other = list.findIndex((entry) => typeof entry !== 'string');
    if (other >= 0) throw fail(name, `a text at place ${other}`, list[other]);
    return list as string[];
  }

  function namedToken(name: string): string | undefined {
    const id = field(name);
    if (id === undefined) return undefined;
    const token = tokens[Number(id)];
    if (token === undefined) throw fail(name, `an id in [0, ${tokens.length})`, Number(id));
    return token;
  }
}

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };

function addedToken(id: number, content: string, special: boolean) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

function startsWith(token: string, id: number) {
  const bos = { SpecialToken: { id: token, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [bos, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      bos,
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: token, type_id: 1 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function present(name: string, token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { [name]: token };
}
