import { attentionWalksRanges } from '@latent-sft/tensor';
import { causalRanges, packedCausalRanges } from '../forward/causal-ranges.js';

/** A prompt's inputs: tokens, or vectors float32 [D]. */
export type Prompt = readonly (number | Float32Array)[];

/** Where the inputs of several prompts stand in a pass over B rows of T places. */
export interface PromptRows {
  readonly shape: readonly [batch: number, length: number];
  /** Whether the prompts stand one after the other in one row, without padding. */
  readonly packed: boolean;
  /** int32 [B * T]; 0 where there is a vector or nothing */
  readonly ids: Int32Array;
  readonly vectors: readonly { readonly place: number; readonly values: Float32Array }[];
  /** int32 [B * T] */
  readonly positions: Int32Array;
  /** What each place sees of the same pass, int32 [B * T * 3 * 2]. */
  readonly ranges: Int32Array;
  /** The place of each prompt's last input. */
  readonly last: readonly number[];
}

/**
 * Arranges prompts for one pass: one after the other in one row where attention costs what its ranges show, else a row
 * each, padded to the longest.
 */
export function promptRows(prompts: readonly Prompt[]): PromptRows {
  const lengths = prompts.map((prompt) => prompt.length);
  const packed = attentionWalksRanges();
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const shape = packed ? ([1, total] as const) : ([prompts.length, Math.max(...lengths)] as const);
  const [ids, positions] = [new Int32Array(shape[0] * shape[1]), new Int32Array(shape[0] * shape[1])];
  const vectors: { place: number; values: Float32Array }[] = [];
  const last: number[] = [];
  let start = 0;
  prompts.forEach((prompt, row) => {
    const first = packed ? start : row * shape[1];
    prompt.forEach((input, i) => {
      positions[first + i] = i;
      if (typeof input === 'number') ids[first + i] = input;
      else vectors.push({ place: first + i, values: input });
    });
    last.push(first + prompt.length - 1);
    start += prompt.length;
  });
  const ranges = packed ? packedCausalRanges(lengths) : causalRanges(lengths, shape[1]);
  return { shape, packed, ids, vectors, positions, ranges, last };
}
