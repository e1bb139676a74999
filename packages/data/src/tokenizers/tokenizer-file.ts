/** What `tokenizer.json` holds, after `checkTokenizerFile`: the fields that are read here; others are kept as they came. */
export interface TokenizerFile {
  readonly model: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly added_tokens: readonly AddedTokenEntry[];
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: Component | null;
}

/** A token that is recognised in a text before anything is split. */
export interface AddedTokenEntry {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean | undefined;
  readonly lstrip?: boolean | undefined;
  readonly rstrip?: boolean | undefined;
}

/** One step of a tokenizer, or a sequence of them. */
export interface Component {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Ids above this are refused: no vocabulary is near it, and a table up to the largest id is held in memory. */
export const LARGEST_ID = 2 ** 22;
