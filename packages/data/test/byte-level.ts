import { readFileSync } from 'node:fs';

interface Fixture {
  readonly made_by: string;
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
  readonly added: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly texts: readonly string[];
  readonly rules: Readonly<
    Record<
      string,
      {
        readonly pre_tokenizer: object;
        readonly normalizer: object | null;
        readonly ignore_merges: boolean;
        readonly ids: readonly (readonly number[])[];
        readonly decoded: Readonly<Record<number, string>>;
      }
    >
  >;
}

/** Ids by the Rust library over a small vocabulary; see `fixtures/make-byte-level.py`. */
export const fixture: Fixture = JSON.parse(
  readFileSync(new URL('./fixtures/byte-level.json', import.meta.url), 'utf8'),
);

/** The fixture's tokenizer as a GGUF file's metadata. */
export function byteLevelMetadata(rule: string): Record<string, unknown> {
  const added = fixture.added.filter(({ id }) => id >= fixture.tokens.length);
  const tokens = [...fixture.tokens, ...added.map(({ content }) => content)];
  const types = new Map(fixture.added.map(({ id, special }) => [id, special ? 3 : 4]));
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': rule,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.merges': [...fixture.merges],
    'tokenizer.ggml.token_type': tokens.map((_, id) => types.get(id) ?? 1),
    'tokenizer.ggml.eos_token_id': tokens.indexOf('<|end|>'),
  };
}

/** The fixture's tokenizer as the content of a `tokenizer.json`, with the steps of the models that have the rule. */
export function byteLevelFile(rule: string) {
  const { pre_tokenizer, normalizer, ignore_merges } = fixture.rules[rule]!;
  return {
    version: '1.0',
    added_tokens: fixture.added.map((token) => ({ ...token, normalized: false })),
    normalizer,
    pre_tokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(fixture.tokens.map((token, id) => [token, id])),
      merges: fixture.merges,
      ignore_merges,
    },
  };
}
