import { argmax, type GenerationRequest, type GenerationSettings, type ModelConfig } from '../src/index.js';
import {
  outputLogits,
  type ReferenceWeights,
  referenceStates,
  softmax,
  tableRow,
} from './reference-model.js';

export interface ReferenceGeneration {
  readonly tokens: number[];
  readonly latentCount: number;
  /** Weights of each latent over the whole vocabulary; zero outside the support. */
  readonly mixtures: number[][];
  /** The least lead that a decision had over the next best: below rounding errors, nothing can be said. */
  readonly leastLead: number;
}

/**
 * One question answered greedily in latents, without a cache: every step reads the whole sequence again, in
 * float64, one row at a time.
 */
export function referenceGeneration(
  config: ModelConfig,
  weights: ReferenceWeights,
  { prompt, givenLatents }: GenerationRequest,
  { end, eos, maxLatents, maxTokens, mixture }: GenerationSettings,
): ReferenceGeneration {
  const word = (id: number) => tableRow(config, weights, id);
  const inputs = prompt.map(word);
  let leastLead = Number.POSITIVE_INFINITY;
  const newestLogits = () => {
    const logits = outputLogits(config, weights, referenceStates(config, weights, inputs).at(-1)!);
    const [first, second] = [...logits].sort((a, b) => b - a);
    leastLead = Math.min(leastLead, first! - second!);
    return logits;
  };
  const mixtures: number[][] = [];
  if (givenLatents) inputs.push(...givenLatents.map((latent) => [...latent]));
  else {
    while (mixtures.length < maxLatents) {
      const logits = newestLogits();
      if (argmax(logits) === end[0]) break;
      const alpha = mixtureWeights(logits, mixture);
      mixtures.push(alpha);
      inputs.push(
        word(0).map((_, axis) => alpha.reduce((sum, share, id) => sum + share * word(id)[axis]!, 0)),
      );
    }
  }
  inputs.push(...end.map(word));
  const tokens: number[] = [];
  while (tokens.length < maxTokens) {
    const id = argmax(newestLogits());
    if (id === eos) break;
    tokens.push(id);
    inputs.push(word(id));
  }
  return { tokens, latentCount: givenLatents?.length ?? mixtures.length, mixtures, leastLead };
}

function mixtureWeights(
  logits: readonly number[],
  { support, temperature, excluded = [] }: GenerationSettings['mixture'],
): number[] {
  const open = [...logits.keys()].filter((id) => !excluded.includes(id));
  const chosen = open
    .sort((a, b) => logits[b]! - logits[a]!)
    .slice(0, support === 'full' ? undefined : support);
  const shares = softmax(chosen.map((id) => logits[id]! / temperature));
  const alpha = logits.map(() => 0);
  chosen.forEach((id, i) => {
    alpha[id] = shares[i]!;
  });
  return alpha;
}
