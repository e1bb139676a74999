import type { MixtureSettings } from '../src/index.js';

/** The definition in float64 on plain arrays, one state. */
export function referenceMixture(
  state: readonly number[],
  tables: { readonly readout: readonly number[][]; readonly table: readonly number[][] },
  { support, temperature, excluded = [] }: MixtureSettings,
  noise?: ArrayLike<number>,
): { alpha: number[]; ids: number[]; latent: number[] } {
  const logits = tables.readout.map((row, token) =>
    excluded.includes(token) ? -1e9 : row.reduce((sum, w, axis) => sum + w * state[axis]!, 0),
  );
  const tokens = [...logits.keys()];
  const full = support === 'full' || support >= tokens.length;
  const ids = full ? tokens : tokens.sort((a, b) => logits[b]! - logits[a]!).slice(0, support);
  const scores = ids.map((token, i) => (logits[token]! + (noise?.[i] ?? 0)) / temperature);
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const alpha = powers.map((power) => power / total);
  const latent = state.map((_, axis) =>
    alpha.reduce((sum, weight, i) => sum + weight * tables.table[ids[i]!]![axis]!, 0),
  );
  return { alpha, ids, latent };
}
