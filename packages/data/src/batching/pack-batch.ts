import { RANGES_PER_QUERY, shiftRanges } from '@latent-sft/masks';
import type { ExampleRows } from './example-rows.js';

/**
 * B rows of T tokens, several examples in one row where they fit. Flat row numbers are b * T + t; everything
 * about latents and targets is listed by example, then in order.
 */
export interface Batch {
  readonly rows: number;
  readonly length: number;
  readonly examples: number;
  /** int32 [B * T]; padding holds 0. */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  /** Key ranges, int32 [B * T * 3 * 2]; padding sees nothing. */
  readonly ranges: Int32Array;
  readonly latentRows: Int32Array;
  readonly beforeLatents: Int32Array;
  /** Which example each latent belongs to, int32 [L]. */
  readonly latentExamples: Int32Array;
  /** 1 / (N_i * examples): the weights of a mean over slots, then over examples, float32 [L]. */
  readonly latentWeights: Float32Array;
  readonly targetRows: Int32Array;
  readonly targetIds: Int32Array;
  /** Sum to 1 over the whole batch, float32. */
  readonly targetWeights: Float32Array;
  /** Tokens that are not padding. */
  readonly tokens: number;
}

/** How examples are joined in one batch. */
export interface PackSettings {
  /** T; default: the longest example. Shorter examples share a row where they fit. */
  readonly length?: number;
  /** `token`: every target of the batch weighs the same (the released code); `example`: every example does. */
  readonly mean?: 'token' | 'example';
  /** What the batch is a part of, so that the losses of the parts sum to the loss of the whole; default: itself. */
  readonly whole?: { readonly examples: number; readonly targets: number };
}

/**
 * Packs examples into rows, longest first, each in the first row where it fits; no padding is computed
 * beyond what is left at the end of a row.
 *
 * @throws if there is no example.
 * @throws if an example is longer than a row.
 */
export function packBatch(items: readonly ExampleRows[], settings: PackSettings = {}): Batch {
  if (items.length === 0) throw new Error('packBatch: expected at least one example, got none');
  const longest = Math.max(...items.map((item) => item.length));
  const length = settings.length ?? longest;
  if (longest > length)
    throw new Error(`packBatch: expected examples of at most ${length} rows, got ${longest}`);
  const { rows, starts } = firstFit(items, length);

  const ids = new Int32Array(rows * length);
  const positions = new Int32Array(rows * length);
  const ranges = new Int32Array(rows * length * RANGES_PER_QUERY * 2);
  const count = (of: (item: ExampleRows) => number) => items.reduce((sum, item) => sum + of(item), 0);
  const latents = count((item) => item.latentRows.length);
  const latentRows = new Int32Array(latents);
  const latentExamples = new Int32Array(latents);
  const latentWeights = new Float32Array(latents);
  const beforeLatents = new Int32Array(count((item) => item.beforeLatents.length));
  const targets = count((item) => item.targets.length);
  const whole = settings.whole ?? { examples: items.length, targets };
  const targetRows = new Int32Array(targets);
  const targetIds = new Int32Array(targets);
  const targetWeights = new Float32Array(targets);
  let [latent, before, target] = [0, 0, 0];
  items.forEach((item, example) => {
    const start = starts[example]!;
    ids.set(item.ids, start);
    positions.set(item.positions, start);
    ranges.set(shiftRanges(item.ranges, start % length), start * RANGES_PER_QUERY * 2);
    for (const row of item.latentRows) {
      latentRows[latent] = start + row;
      latentExamples[latent] = example;
      latentWeights[latent++] = 1 / (item.latentRows.length * whole.examples);
    }
    for (const row of item.beforeLatents) beforeLatents[before++] = start + row;
    const share = settings.mean === 'example' ? 1 / whole.examples : item.targets.length / whole.targets;
    for (const { row, id, weight } of item.targets) {
      targetRows[target] = start + row;
      targetIds[target] = id;
      targetWeights[target++] = weight * share;
    }
  });
  return {
    rows,
    length,
    examples: items.length,
    ids,
    positions,
    ranges,
    latentRows,
    beforeLatents,
    latentExamples,
    latentWeights,
    targetRows,
    targetIds,
    targetWeights,
    tokens: count((item) => item.length),
  };
}

/** Where each example starts, as a flat row number. */
function firstFit(items: readonly ExampleRows[], length: number): { rows: number; starts: number[] } {
  const starts = new Array<number>(items.length).fill(0);
  const used: number[] = [];
  const longestFirst = items.map((_, i) => i).sort((a, b) => items[b]!.length - items[a]!.length || a - b);
  for (const example of longestFirst) {
    const needed = items[example]!.length;
    let row = used.findIndex((filled) => filled + needed <= length);
    if (row < 0) row = used.push(0) - 1;
    starts[example] = row * length + used[row]!;
    used[row]! += needed;
  }
  return { rows: used.length, starts };
}
