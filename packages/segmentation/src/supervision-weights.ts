import { labels } from './labels.js';
import type { Layout } from './layout.js';

/** The four ways to average the decoder's negative log-likelihoods: A, B, C and D, in this order. */
export type SupervisionReading = 'token-mean' | 'suffix-mean' | 'strict-suffix' | 'chunk-mean';

export interface SupervisionOptions {
  /** Whether the answer belongs to the targets `Y_i` that latent i must restore; default true. */
  readonly answer?: boolean;
}

/**
 * Gives the weight `w_t` of every row's own token in `L_sup = sum_t w_t * -log p(x_t | ...)`.
 *
 * Latent i of N restores the targets `J_i = {S_(i+1), ..., S_N, end, answer}`; the paper's loss is
 * `L_sup = 1/N sum_i 1/|J_i| sum_(t in J_i) nll_t` (arXiv 2510.15522, the supervision loss of stage 1). Readings:
 * - A `'token-mean'` (the released code): `w_t = 1 / #targets`. The only reading for student and chain layouts.
 * - B `'suffix-mean'` (the formula, one pass): `w_t = 1/N sum_(i : t in J_i) 1/|J_i|`, for under LTSuM the
 *   likelihood of a token does not depend on i.
 * - C `'strict-suffix'`: each latent's own copy of its tail, conditioned on Z_1..Z_i alone:
 *   `w_t = 1/(N |J_i|)` in copy i. Needs a decoder layout with `tails: 'strict-suffix'`.
 * - D `'chunk-mean'`: J_i is only what follows latent i directly (`S_(i+1)`; the end and the answer for i = N):
 *   `w_t = 1/(N |J_i|)`.
 *
 * An empty J_i (no end marker and no answer) is left out, and N counts the others.
 *
 * @param layout Layout of one example, T rows.
 * @returns float64 `[T]` in sequence order: no unit, at least 0, sums to 1, and 0 at rows that are no target.
 * @throws If the reading is unknown.
 * @throws If a reading other than A gets a layout that is not a decoder layout.
 * @throws If B or D gets strict-suffix tails, or C gets next-segment tails.
 * @throws If the layout has no target.
 */
export function supervisionWeights(
  layout: Layout,
  reading: SupervisionReading,
  options: SupervisionOptions = {},
): Float64Array {
  const isTarget = targetRows(layout, options.answer ?? true);
  const weights = new Float64Array(layout.length);
  const sets = targetSets(layout, reading, isTarget).filter((rows) => rows.length > 0);
  if (sets.length === 0) {
    throw new Error(`supervisionWeights: expected a layout with targets, got none in ${describe(layout)}`);
  }
  for (const rows of sets) {
    for (const row of rows) weights[row]! += 1 / (sets.length * rows.length);
  }
  return weights;
}

function targetRows(layout: Layout, answer: boolean): Uint8Array {
  const isTarget = labels(layout);
  for (const { role, start, length } of layout.spans) {
    if (role === 'answer' && !answer) isTarget.fill(0, start, start + length);
  }
  return isTarget;
}

/** The sets J_i, each a list of rows, whose means the reading averages. */
function targetSets(layout: Layout, reading: SupervisionReading, isTarget: Uint8Array): number[][] {
  if (reading === 'token-mean') {
    const rows: number[] = [];
    for (let row = 0; row < isTarget.length; row++) if (isTarget[row] === 1) rows.push(row);
    return [rows];
  }
  if (reading !== 'suffix-mean' && reading !== 'strict-suffix' && reading !== 'chunk-mean') {
    throw new Error(
      'supervisionWeights: expected reading to be token-mean, suffix-mean, strict-suffix or chunk-mean, ' +
        `got ${JSON.stringify(reading)}`,
    );
  }
  if (layout.kind !== 'decoder') {
    throw new Error(`supervisionWeights: expected a decoder layout for ${reading}, got ${describe(layout)}`);
  }
  const tails = reading === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
  if (layout.tails !== tails) {
    throw new Error(`supervisionWeights: expected ${tails} tails for ${reading}, got ${layout.tails}`);
  }
  const chunks = rowsAfterLatents(layout).map((rows) => rows.filter((row) => isTarget[row] === 1));
  return reading === 'suffix-mean' ? chunks.map((_, first) => chunks.slice(first).flat()) : chunks;
}

/** For each latent, the rows between it and the next latent. */
function rowsAfterLatents(layout: Layout): number[][] {
  const tails: number[][] = [];
  for (const { role, start, length } of layout.spans) {
    if (role === 'latent') tails.push([]);
    else for (let row = start; row < start + length; row++) tails.at(-1)?.push(row);
  }
  return tails;
}

function describe(layout: Layout): string {
  return `${layout.kind} layout of ${layout.length} rows`;
}
