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
 * A decoder on plain arrays, causal, positions from 0, all of it computed anew: what the fast one must equal. Parts
 * that a model may have or not (biases, learned positions, gates, norms of queries and keys) are those in its weights.
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
  const has = (name: string) => weights.has(`${name}.weight`);
  const plusBias = (x: readonly number[], name: string) => {
    const bias = weights.get(`${name}.bias`)?.data;
    return x.map((value, i) => value + (bias ? bias[i]! : 0));
  };
  const map = (name: string, x: readonly number[]) => plusBias(product(weight(name), x), name);
  const norm = (x: readonly number[], name: string) => {
    const mean = weights.has(`${name}.bias`) ? x.reduce((sum, value) => sum + value, 0) / x.length : 0;
    const centred = x.map((value) => value - mean);
    const meanSquare = centred.reduce((sum, value) => sum + value ** 2, 0) / x.length;
    const size = Math.sqrt(meanSquare + config.normEpsilon);
    return plusBias(
      centred.map((value, i) => (value / size) * weight(name)[i]!),
      name,
    );
  };
  const split = (x: readonly number[]) =>
    Array.from({ length: x.length / headWidth }, (_, h) => x.slice(h * headWidth, (h + 1) * headWidth));
  const rotate = (head: readonly number[], position: number) => {
    const base = config.ropeBase;
    if (base === null) return head;
    const half = headWidth / 2;
    return head.map((value, i) => {
      const angle = position * base ** ((-2 * (i % half)) / headWidth);
      const partner = i < half ? -head[i + half]! : head[i - half]!;
      return value * Math.cos(angle) + partner * Math.sin(angle);
    });
  };
  const learned = weights.get('model.position_embeddings.weight')?.data;
  let x = inputs.map((row, t) =>
    row.map((value, axis) => value + (learned ? learned[t * config.width + axis]! : 0)),
  );
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const normed = x.map((row) => norm(row, `${prefix}.input_layernorm`));
    const project = (name: string) => normed.map((row) => split(map(`${prefix}.self_attn.${name}`, row)));
    const placed = (rows: number[][][], name: string) =>
      rows.map((row, t) =>
        row.map((head) => rotate(has(`${prefix}.${name}`) ? norm(head, `${prefix}.${name}`) : head, t)),
      );
    const queries = placed(project('q_proj'), 'self_attn.q_norm');
    const keys = placed(project('k_proj'), 'self_attn.k_norm');
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
      const attended = map(`${prefix}.self_attn.o_proj`, mixed);
      return row.map((value, i) => value + attended[i]!);
    });
    x = x.map((row) => {
      const input = norm(row, `${prefix}.post_attention_layernorm`);
      const up = map(`${prefix}.mlp.up_proj`, input);
      const active = has(`${prefix}.mlp.gate_proj`)
        ? map(`${prefix}.mlp.gate_proj`, input).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!)
        : up.map((u) => (u / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3))));
      const down = map(`${prefix}.mlp.down_proj`, active);
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
