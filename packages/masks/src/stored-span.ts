import type { Layout, Span } from '@latent-sft/segmentation';

/** Half-open `[start, end)`, in storage rows. */
export type Range = readonly [start: number, end: number];

/** A span where storage holds it, and what storage holds of the sequence before it. */
export interface StoredSpan extends Pick<Span, 'role' | 'branch' | 'length'> {
  /** First storage row. */
  readonly start: number;
  readonly earlierBackbone: Range;
  readonly earlierBranches: Range;
  /** Rows of its own branch before it; empty on the backbone. */
  readonly earlierInBranch: Range;
}

/** The layout's spans, in sequence order, placed as `storageOrder` does: the backbone first, then the branches. */
export function placesInStorage(layout: Layout): StoredSpan[] {
  const firstBranchRow = layout.spans.reduce((rows, span) => rows + (span.branch === 0 ? span.length : 0), 0);
  let backboneEnd = 0;
  let branchesEnd = firstBranchRow;
  let branch = 0;
  let branchStart = 0;
  return layout.spans.map((span) => {
    const start = span.branch === 0 ? backboneEnd : branchesEnd;
    if (span.branch !== branch) branchStart = start;
    branch = span.branch;
    const stored: StoredSpan = {
      role: span.role,
      branch,
      length: span.length,
      start,
      earlierBackbone: [0, backboneEnd],
      earlierBranches: [firstBranchRow, branchesEnd],
      earlierInBranch: branch === 0 ? [0, 0] : [branchStart, start],
    };
    if (branch === 0) backboneEnd += span.length;
    else branchesEnd += span.length;
    return stored;
  });
}
