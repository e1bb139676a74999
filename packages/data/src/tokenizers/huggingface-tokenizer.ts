import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { missingBytes, refuseBytes } from './byte-alphabet.js';
import { describeValue } from './describe-value.js';
import { withExactSplits } from './exact-splits.js';
import { plainRangeEncoder, type TextRange } from './plain-ranges.js';
import type { Tokenizer } from './tokenizer.js';
import type { TokenizerFile } from './tokenizer-file.js';
import type { TokenizerSettings } from './tokenizer-settings.js';

/** Everything that a tokenizer of a pretrained model is made from. */
export interface HuggingFaceContent {
  /** `tokenizer.json`. */
  readonly file: TokenizerFile;
  /** `tokenizer_config.json`, with the chat template. */
  readonly settings: TokenizerSettings;
  /** Text of the think marker and of the end marker. */
  readonly think: string;
  readonly end: string;
}

/** A text of this length takes seconds; one without a place to split it, a minute. */
const LONGEST_TEXT = 2 ** 22;

/**
 * A tokenizer of a pretrained model, run by `@huggingface/tokenizers`.
 *
 * The markers are the ids of their text: one if the model has such a token, else several. The latent query is the
 * padding token, or eos where there is none: pretrained models learn it as a vector of its own.
 *
 * @param source Where the content is from, for errors.
 * @param templateSource Where the chat template is from.
 * @throws if eos is missing or no token of the vocabulary.
 * @throws if a marker has no ids, or the library refuses the content.
 */
export function huggingFaceTokenizer(
  content: HuggingFaceContent,
  source: string,
  templateSource = source,
): Tokenizer {
  const { file, settings } = content;
  const fail = (expected: string, got: unknown) =>
    new Error(`loadTokenizer: expected ${expected} in ${source}, got ${describeValue(got)}`);
  const make = (changes: Partial<TokenizerFile>) => {
    try {
      return new LibraryTokenizer({ ...withExactSplits(file), ...changes }, settings);
    } catch (error) {
      throw fail('a tokenizer that @huggingface/tokenizers reads', (error as Error).message);
    }
  };
  const library = make({});
  let withoutAdded: LibraryTokenizer | undefined;
  const texts = tokenTexts(file);
  const missing = missingBytes(file);

  const idsOf = (tokenizer: LibraryTokenizer, text: string) => {
    if (text.length > LONGEST_TEXT) {
      throw new Error(
        `huggingFaceTokenizer: expected a text of at most ${LONGEST_TEXT} characters, got ${text.length}`,
      );
    }
    if (missing.size > 0) refuseBytes(text, missing, source);
    return tokenizer.encode(text, { add_special_tokens: false }).ids;
  };
  const encodeAround = plainRangeEncoder(
    file.added_tokens,
    (text) => idsOf(library, text),
    (text) => {
      withoutAdded ??= make({ added_tokens: [] });
      return idsOf(withoutAdded, text);
    },
  );
  const encode = (text: string, plain: readonly TextRange[] = []) =>
    plain.length === 0 ? idsOf(library, text) : [...encodeAround(text, plain)];
  const decode = (ids: readonly number[]) => {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0);
    if (wrong !== undefined) throw new Error(`huggingFaceTokenizer: expected an id >= 0, got ${wrong}`);
    return decodeKnown(ids, texts, (known) =>
      library.decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    );
  };

  const idOf = (name: 'eos_token' | 'pad_token') => {
    const token = settings[name];
    if (token === undefined) return undefined;
    const id = library.token_to_id(token);
    if (id === undefined) throw fail(`${name} as a token of the vocabulary`, token);
    return id;
  };
  const marker = (text: string) => {
    const ids = encode(text);
    if (ids.length === 0) throw fail('a marker with a token', text);
    return ids;
  };
  const eos = idOf('eos_token');
  if (eos === undefined) throw fail('an eos_token', undefined);
  const pad = idOf('pad_token') ?? eos;

  let vocabulary: readonly string[] | undefined;
  return {
    kind: 'huggingface',
    get vocabulary() {
      vocabulary ??= Array.from(texts, (_, id) => decode([id]));
      return vocabulary;
    },
    special: { pad, think: marker(content.think), end: marker(content.end), eos, compress: pad },
    encode,
    decode,
    toJSON: () => ({ kind: 'huggingface', ...content }),
    ...(settings.chat_template === undefined
      ? {}
      : {
          chatTemplate: {
            text: settings.chat_template,
            source: templateSource,
            tokens: namedTokens(settings),
          },
        }),
  };
}

/** The token of each id as the file spells it; empty where no token has the id. */
function tokenTexts(file: TokenizerFile): readonly (string | undefined)[] {
  const vocab = Object.entries(file.model.vocab as Record<string, number>);
  const last = vocab.reduce((most, [, id]) => Math.max(most, id), 0);
  const length = file.added_tokens.reduce((most, { id }) => Math.max(most, id), last) + 1;
  const texts = new Array<string | undefined>(length).fill(undefined);
  for (const [token, id] of vocab) texts[id] = token;
  for (const { id, content } of file.added_tokens) texts[id] = content;
  return texts;
}

/** Ids without a token, which padded embedding tables have, are written `<unused 123>`. */
function decodeKnown(
  ids: readonly number[],
  texts: readonly (string | undefined)[],
  decode: (known: number[]) => string,
): string {
  let text = '';
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) text += decode(run);
    run = [];
  };
  for (const id of ids) {
    if (texts[id] !== undefined) {
      run.push(id);
      continue;
    }
    flush();
    text += `<unused ${id}>`;
  }
  flush();
  return text;
}

function namedTokens(settings: TokenizerSettings): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const) {
    const token = settings[name];
    if (token !== undefined) named[name] = token;
  }
  return named;
}
