import { keyRanges, type MaskName, type MaskOptions } from '@latent-sft/masks';
import {
  type ExampleTokens,
  type Layout,
  positions,
  type SupervisionReading,
  storageOrder,
  supervisionWeights,
  tokenIds,
} from '@latent-sft/segmentation';

/** One example laid out as rows in storage order, ready to be packed beside others. */
export interface ExampleRows {
  readonly length: number;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  /** Key ranges within the example, int32 [length, 3, 2]. */
  readonly ranges: Int32Array;
  /** The rows of Z_1..Z_N. */
  readonly latentRows: readonly number[];
  /** The rows just before Z_1..Z_N in sequence order: where a student says each latent. */
  readonly beforeLatents: readonly number[];
  readonly targets: readonly RowTarget[];
}

/** A token to be predicted at a row, with its weight in the example's loss; the weights sum to 1. */
export interface RowTarget {
  readonly row: number;
  readonly id: number;
  readonly weight: number;
}

/** How an example becomes rows. */
export interface RowSettings {
  readonly mask: MaskName;
  readonly maskOptions?: MaskOptions;
  readonly track?: 'dual' | 'single';
  readonly reading?: SupervisionReading;
  /** Whether the answer is among the targets of the readings; default true. */
  readonly superviseAnswer?: boolean;
  /** Whether there are targets at all; default true. */
  readonly targets?: boolean;
  /** The id that fills latent rows: the compress token in an encoder; anything in a decoder or student. */
  readonly latentId: number;
}

/**
 * Lays one example out: ids, positions, key ranges, latent rows and weighted targets, all in storage order
 * (backbone rows first, then branches).
 *
 * @throws if the mask does not fit the layout's kind.
 */
export function exampleRows(layout: Layout, example: ExampleTokens, settings: RowSettings): ExampleRows {
  return rowsOfIds(layout, tokenIds(layout, example, settings.latentId), settings);
}

/** The same of ids in sequence order, int32 `[T]`. */
export function rowsOfIds(layout: Layout, sequenceIds: Int32Array, settings: RowSettings): ExampleRows {
  const order = storageOrder(layout);
  const storageOf = new Int32Array(layout.length);
  const ids = new Int32Array(layout.length);
  const placed = new Int32Array(layout.length);
  const sequencePositions = positions(layout, settings.track ?? 'dual');
  for (let storage = 0; storage < layout.length; storage++) {
    const sequence = order[storage]!;
    storageOf[sequence] = storage;
    ids[storage] = sequenceIds[sequence]!;
    placed[storage] = sequencePositions[sequence]!;
  }
  const latents = layout.spans.filter((span) => span.role === 'latent').map((span) => span.start);
  return {
    length: layout.length,
    ids,
    positions: placed,
    ranges: keyRanges(layout, settings.mask, settings.maskOptions),
    latentRows: latents.map((row) => storageOf[row]!),
    beforeLatents: layout.kind === 'student' ? latents.map((row) => storageOf[row - 1]!) : [],
    targets:
      layout.kind === 'encoder' || settings.targets === false
        ? []
        : weightedTargets(layout, sequenceIds, storageOf, settings),
  };
}

function weightedTargets(
  layout: Layout,
  ids: Int32Array,
  storageOf: Int32Array,
  settings: RowSettings,
): RowTarget[] {
  const options = { answer: settings.superviseAnswer ?? true };
  const weights = supervisionWeights(layout, settings.reading ?? 'token-mean', options);
  const targets: RowTarget[] = [];
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row]!;
    if (weight > 0) targets.push({ row: storageOf[row - 1]!, id: ids[row]!, weight });
  }
  return targets;
}
