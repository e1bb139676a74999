import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import type { Parameters } from '../parameters/parameters.js';
import type { NamedArray } from '../weights/named-array.js';
import { tensorShapes } from '../weights/tensor-shapes.js';

/** The maps that an adapter can be on; `embed_tokens` is the input table, and with it a tied head. */
export const LORA_TARGETS = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
  'embed_tokens',
] as const;

export type LoraTarget = (typeof LORA_TARGETS)[number];

/** A low-rank adapter: W + (alpha / rank) B A (Hu et al. 2021, arXiv 2106.09685). */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
}

const SCALE = 'lora_scale';
const TABLE = 'model.embed_tokens';

/**
 * A fresh adapter, by parameter name: A uniform within 1 / sqrt(in), B zero, so that the model is the base at first.
 *
 * @param stream names the draws, so that two adapters of one seed differ
 * @returns `<map>.lora_A.weight` float32 [rank, in] and `<map>.lora_B.weight` float32 [out, rank]
 * @throws if the rank is not a whole number of at least 1.
 * @throws if the model has none of the maps.
 */
export function initialLora(
  config: ModelConfig,
  settings: LoraSettings,
  seed: number,
  stream: string,
): Map<string, NamedArray> {
  const { rank, targets } = settings;
  if (!Number.isSafeInteger(rank) || rank < 1) {
    throw new Error(`initialLora: expected a rank that is a whole number >= 1, got ${rank}`);
  }
  const adapter = new Map<string, NamedArray>();
  for (const [name, shape] of tensorShapes(config)) {
    if (!targets.some((target) => name.endsWith(`.${target}.weight`))) continue;
    const map = name.slice(0, -'.weight'.length);
    const [output, input] = sidesOf(map, shape);
    const draws = randomStream(seed, `${stream}/${map}`).uniform(rank * input);
    const data = Float32Array.from(draws, (draw) => (2 * draw - 1) / Math.sqrt(input));
    adapter.set(`${map}.lora_A.weight`, { shape: [rank, input], data });
    adapter.set(`${map}.lora_B.weight`, { shape: [output, rank], data: new Float32Array(output * rank) });
  }
  if (adapter.size === 0) {
    throw new Error(`initialLora: expected a model with one of ${targets.join(', ')}, got none of them`);
  }
  return adapter;
}

/** A table is read by rows, so its adapter is one of its transpose: [D, V] = [D, rank] x [rank, V]. */
function sidesOf(map: string, shape: readonly number[]): readonly [output: number, input: number] {
  return map === TABLE ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
}

/** What B A is multiplied by. */
export function loraScale({ alpha, rank }: LoraSettings): number {
  return alpha / rank;
}

/**
 * A frozen base and an adapter as one model; the base's tensors are shared, not copied. Called where gradients are
 * recorded, it carries those of an adapter on the input table too.
 *
 * @param scale `loraScale` as a scalar tensor, owned by the caller
 */
export function withAdapter(base: Parameters, adapter: Parameters, scale: tf.Scalar): Parameters {
  const joined = new Map([...base, ...adapter, [SCALE, scale] as const]);
  const lowered = adapter.get(`${TABLE}.lora_A.weight`) as tf.Tensor2D | undefined;
  const raised = adapter.get(`${TABLE}.lora_B.weight`) as tf.Tensor2D | undefined;
  if (lowered && raised) {
    const table = tf.tidy(() => {
      const change = tf.matMul(tf.mul<tf.Tensor2D>(lowered, scale), raised, true, true); // [V, D]
      return tf.add(base.get(`${TABLE}.weight`)!, change);
    });
    joined.set(`${TABLE}.weight`, table);
  }
  return joined;
}
