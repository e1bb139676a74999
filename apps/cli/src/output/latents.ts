import type { Tokenizer } from '@latent-sft/data';
import type { LatentTrace } from '@latent-sft/model';

/** A latent as a person can read it: its most probable words with their weights. */
export interface LatentWords {
  readonly words: readonly { readonly word: string; readonly weight: number }[];
  /** Of all its weights, in nats. */
  readonly entropyNats: number;
}

/** Latents in the words of the vocabulary. */
export function latentWords(traces: readonly LatentTrace[], { vocabulary }: Tokenizer): LatentWords[] {
  return traces.map(({ ids, weights, entropy }) => ({
    words: ids.map((id, i) => ({ word: vocabulary[id]!, weight: weights[i]! })),
    entropyNats: entropy,
  }));
}

const BAR_CELLS = 8;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A line a latent: each word, its weight, and the weight as a bar. */
export function drawLatents(latents: readonly LatentWords[]): string[] {
  const widest = Math.max(0, ...latents.flatMap(({ words }) => words.map(({ word }) => word.length)));
  return latents.map(({ words }, i) => {
    const cells = words.map(
      ({ word, weight }) => `${word.padStart(widest)} ${weight.toFixed(2)} ${bar(weight)}`,
    );
    return `  latent ${String(i + 1).padStart(2)}  ${cells.join('  ')}`.trimEnd();
  });
}

/** A share of 1 as a bar of fixed width. */
function bar(share: number): string {
  const eighths = Math.round(share * BAR_CELLS * 8);
  const drawn = `${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8]}`;
  return drawn.padEnd(BAR_CELLS);
}
