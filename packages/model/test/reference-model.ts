import type { ModelConfig } from '../src/index.js';

/** Weights in float64, by Hugging Face name. */
export type ReferenceWeights = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;

/** Weights of any precision as float64. */
export function inFloat64(weights: ReferenceWeights): Map<string, { data: Float64Array }> {
  return new Map([...weights].map(([name, { data }]) => [name, { data: Float64Array.from(data) }]));
}

/** W x for a weight [out, in]. */
function product(weight: ArrayLike<number>, x: readonly number[]): number[] {
  return Array.from({ length: weight.length / x.length }, (_, row) =>
    x.reduce((sum, value, column) => sum + weight[row * x.length + column]! * value, 0),
  );
}

export function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** A row of a table [V, D]. */
export function tableRow(config: ModelConfig, weights: ReferenceWeights, id: number): number[] {
  const { data } = weights.get('model.embed_tokens.weight')!;
  return Array.from({ length: config.width }, (_, axis) => data[id * config.width + axis]!);
}

export function outputLogits(
  config: ModelConfig,
  weights: ReferenceWeights,
  state: readonly number[],
): number[] {
  const name = config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return product(weights.get(name)!.data, state);
}

/**
 * A llama decoder on plain arrays, causal, positions from 0, all of it computed anew: what the fast one must equal.
 *
 * @param inputs embeddings, [T, D]
 * @returns states after the final norm, [T, D]
 */
export function referenceStates(
  config: ModelConfig,
  weights: ReferenceWeights,
  inputs: readonly (readonly number[])[],
): number[][] {
  const { heads, keyValueHeads, headWidth } = config;
  const weight = (name: string) => weights.get(`${name}.weight`)!.data;
  const norm = (x: readonly number[], name: string) => {
    const meanSquare = x.reduce((sum, value) => sum + value ** 2, 0) / x.length;
    return x.map((value, i) => (value / Math.sqrt(meanSquare + config.normEpsilon)) * weight(name)[i]!);
  };
  const split = (x: readonly number[]) =>
    Array.from({ length: x.length / headWidth }, (_, h) => x.slice(h * headWidth, (h + 1) * headWidth));
  const rotate = (head: readonly number[], position: number) => {
    const half = headWidth / 2;
    return head.map((value, i) => {
      const angle = position * config.ropeBase ** ((-2 * (i % half)) / headWidth);
      const partner = i < half ? -head[i + half]! : head[i - half]!;
      return value * Math.cos(angle) + partner * Math.sin(angle);
    });
  };
  let x = inputs.map((row) => [...row]);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const normed = x.map((row) => norm(row, `${prefix}.input_layernorm`));
    const project = (name: string) =>
      normed.map((row) => split(product(weight(`${prefix}.self_attn.${name}`), row)));
    const queries = project('q_proj').map((row, t) => row.map((head) => rotate(head, t)));
    const keys = project('k_proj').map((row, t) => row.map((head) => rotate(head, t)));
    const values = project('v_proj');
    x = x.map((row, t) => {
      const mixed = queries[t]!.flatMap((query, h) => {
        const group = Math.floor(h / (heads / keyValueHeads));
        const scores = keys
          .slice(0, t + 1)
          .map((key) => key[group]!.reduce((sum, k, i) => sum + k * query[i]!, 0) / Math.sqrt(headWidth));
        const shares = softmax(scores);
        return query.map((_, i) => shares.reduce((sum, share, s) => sum + share * values[s]![group]![i]!, 0));
      });
      const attended = product(weight(`${prefix}.self_attn.o_proj`), mixed);
      return row.map((value, i) => value + attended[i]!);
    });
    x = x.map((row) => {
      const input = norm(row, `${prefix}.post_attention_layernorm`);
      const gate = product(weight(`${prefix}.mlp.gate_proj`), input);
      const up = product(weight(`${prefix}.mlp.up_proj`), input);
      const gated = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!);
      const down = product(weight(`${prefix}.mlp.down_proj`), gated);
      return row.map((value, i) => value + down[i]!);
    });
  }
  return x.map((row) => norm(row, 'model.norm'));
}

/** Negative log-likelihood of each token from the second on, in nats. */
export function referenceScores(
  config: ModelConfig,
  weights: ReferenceWeights,
  ids: readonly number[],
): number[] {
  const inputs = ids.slice(0, -1).map((id) => tableRow(config, weights, id));
  return referenceStates(config, weights, inputs).map((state, t) => {
    const probabilities = softmax(outputLogits(config, weights, state));
    return -Math.log(probabilities[ids[t + 1]!]!);
  });
}
