import type { Layout } from '@latent-sft/segmentation';
import { type MaskName, type MaskOptions, requireKind } from './mask.js';
import { placesInStorage, type Range, type StoredSpan } from './stored-span.js';

/** Every mask of this package fits in this many contiguous ranges of visible keys a row. */
export const RANGES_PER_QUERY = 3;

/**
 * The visible keys of every row as ranges `[start, end)`; int32 `[T, 3, 2]`, rows and keys in storage order.
 *
 * Sorted and disjoint; unused ranges are `[0, 0)` and come last. Attention that walks them costs what the mask
 * allows, and they take 6 T numbers where a dense mask takes T^2.
 *
 * @throws if `ltim` is asked of a layout that is not an encoder's, or `ltsum` of one that is not a decoder's.
 */
export function keyRanges(layout: Layout, name: MaskName, options: MaskOptions = {}): Int32Array {
  requireKind('keyRanges', layout, name);
  const ranges = new Int32Array(layout.length * RANGES_PER_QUERY * 2);
  for (const span of placesInStorage(layout)) {
    const earlier = EARLIER_KEYS[name](span, layout, options);
    // Whatever a span reads of the rows before it, within itself it is causal: from row to row only the end of its own
    // keys moves, until in the last row they may touch those that stand behind the span.
    const limits = union([...earlier, [span.start, span.start + 1]]);
    const ownEnd = limits.indexOf(span.start + 1);
    const last = span.start + span.length - 1;
    for (let row = span.start; row <= last; row++) {
      limits[ownEnd] = row + 1;
      if (row === last && limits[ownEnd + 1] === row + 1) limits.splice(ownEnd, 2);
      const first = row * RANGES_PER_QUERY * 2;
      for (let i = 0; i < limits.length; i++) ranges[first + i] = limits[i]!;
    }
  }
  return ranges;
}

/** The keys before a span that all its rows read. */
type EarlierKeys = (span: StoredSpan, layout: Layout, options: MaskOptions) => Range[];

const EARLIER_KEYS: Record<MaskName, EarlierKeys> = {
  causal: (span) => [span.earlierBackbone, span.earlierBranches],
  // Backbone rows and leaves alike: the leaves are read by nobody.
  ltim: (span) => [span.earlierBackbone],
  ltsum: (span, layout, options) =>
    span.branch === 0 ? backboneKeys(span, layout, options) : branchKeys(span, layout, options),
};

function backboneKeys(span: StoredSpan, layout: Layout, options: MaskOptions): Range[] {
  if (span.role !== 'answer' || (options.answerSeesLastLatent ?? true)) return [span.earlierBackbone];
  const lastLatent = latentRow(layout, layout.latentCount);
  return [
    [0, lastLatent],
    [lastLatent + 1, span.start],
  ];
}

function branchKeys(span: StoredSpan, layout: Layout, options: MaskOptions): Range[] {
  const firstLatent = layout.tails === 'strict-suffix' ? 1 : span.branch;
  const contextRows = { latent: 0, 'latent+prompt': layout.sizes.prompt, 'latent+bos': 1 };
  return [
    [0, contextRows[options.segmentContext ?? 'latent']],
    [latentRow(layout, firstLatent), latentRow(layout, span.branch) + 1],
    span.earlierInBranch,
  ];
}

/** On a decoder's backbone `P T Z1..ZN E A` the latents stand together. */
function latentRow({ sizes }: Layout, index: number): number {
  return sizes.prompt + sizes.think + index - 1;
}

/** The limits of the same keys, sorted, with empty ranges left out and touching ones joined. */
function union(ranges: readonly Range[]): number[] {
  const limits: number[] = [];
  for (const [start, end] of ranges) {
    if (start >= end) continue;
    // among so few ranges each is soon where it belongs
    let at = limits.push(start, end) - 2;
    for (; at > 0 && limits[at - 2]! > start; at -= 2) {
      limits[at] = limits[at - 2]!;
      limits[at + 1] = limits[at - 1]!;
    }
    limits[at] = start;
    limits[at + 1] = end;
  }
  let used = 0;
  for (let i = 0; i < limits.length; i += 2) {
    const start = limits[i]!;
    const end = limits[i + 1]!;
    if (used > 0 && start <= limits[used - 1]!) limits[used - 1] = Math.max(limits[used - 1]!, end);
    else {
      limits[used++] = start;
      limits[used++] = end;
    }
  }
  limits.length = used;
  return limits;
}
