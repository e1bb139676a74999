import type { TextRange } from './plain-ranges.js';

/** Ids with a meaning of their own; markers are lists, since a subword tokenizer may spell them. */
export interface SpecialTokens {
  readonly pad: number;
  readonly think: readonly number[];
  readonly end: readonly number[];
  readonly eos: number;
  readonly compress: number;
}

/** How a pretrained model was taught to see conversations. */
export interface ChatTemplate {
  /** Jinja. */
  readonly text: string;
  /** The file that it is from, for errors. */
  readonly source: string;
  /** Text of the special tokens that a template may write, by name (`bos_token`). */
  readonly tokens: Readonly<Record<string, string>>;
}

/** Text to ids and back. */
export interface Tokenizer {
  readonly kind: string;
  /** The text of each id. */
  readonly vocabulary: readonly string[];
  readonly special: SpecialTokens;
  /** Absent where the model has none. */
  readonly chatTemplate?: ChatTemplate;
  /**
   * Ids of a text; nothing is added. Built-in tokenizers never give a special token; those of pretrained models
   * recognise them in the text, but not in the `plain` ranges.
   */
  encode(text: string, plain?: readonly TextRange[]): number[];
  /** Text of ids, special tokens written out. */
  decode(ids: readonly number[]): string;
  /** What `tokenizerFromJSON` makes the same tokenizer from. */
  toJSON(): unknown;
}

/** The first ids of every built-in tokenizer, in order. */
export const SPECIAL_WORDS = ['<pad>', '<think>', '</think>', '<compress>', '<eos>'] as const;

export const SPECIAL_TOKENS: SpecialTokens = { pad: 0, think: [1], end: [2], compress: 3, eos: 4 };

/** How one kind of built-in tokenizer cuts text into units and joins them. */
export interface UnitRule {
  readonly kind: 'word' | 'character';
  readonly separator: string;
  split(text: string): string[];
}

/** A tokenizer with one id a unit: the special tokens, then the given units. */
export function unitTokenizer(rule: UnitRule, units: readonly string[]): Tokenizer {
  const vocabulary: readonly string[] = [...SPECIAL_WORDS, ...units];
  const name = `${rule.kind}Tokenizer`;
  const ids = new Map(units.map((unit, index) => [unit, SPECIAL_WORDS.length + index]));
  for (const special of SPECIAL_WORDS) {
    if (ids.has(special))
      throw new Error(`${name}: expected no unit that is a special token, got "${special}"`);
  }
  if (ids.size !== units.length) {
    const twice = units.find((unit, index) => units.indexOf(unit) !== index);
    throw new Error(`${name}: expected units that differ, got ${JSON.stringify(twice)} twice`);
  }
  return {
    kind: rule.kind,
    vocabulary,
    special: SPECIAL_TOKENS,
    encode: (text) =>
      rule.split(text).map((unit, index) => {
        const id = ids.get(unit);
        if (id === undefined) {
          throw new Error(
            `${name}: expected a ${rule.kind} of the vocabulary (${vocabulary.length} ${rule.kind}s), ` +
              `got ${JSON.stringify(unit)} (${rule.kind} ${index + 1} of ${quote(text)})`,
          );
        }
        return id;
      }),
    decode: (tokens) =>
      tokens
        .map((id) => {
          const unit = vocabulary[id];
          if (unit === undefined) {
            throw new Error(`${name}: expected an id in [0, ${vocabulary.length}), got ${id}`);
          }
          return unit;
        })
        .join(rule.separator),
    toJSON: () => ({ kind: rule.kind, vocabulary }),
  };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
