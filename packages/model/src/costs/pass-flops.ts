import type { LoraTarget } from '../adapters/lora.js';
import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';

/** The adapters of a pass: their rank, and the maps that they are on. */
export interface LoraShape {
  readonly rank: number;
  readonly targets: readonly LoraTarget[];
  /** The share of its input that an adapter drops; above 0 it is never added to the weight. Default 0. */
  readonly dropout?: number;
}

/** What a pass goes over, padding left out where it is not computed, and what it trains. */
export interface PassCounts {
  /** Rows of the linear maps: B * T. */
  readonly tokens: number;
  /** Query-key pairs that attention computes, of one head in one layer: `visiblePairs` of the batch. */
  readonly pairs: number;
  /** What the last layer does beyond its keys and values where not all of its rows are read; default: everything. */
  readonly read?: {
    /** Rows whose states are read: queries, and all maps after attention. */
    readonly rows: number;
    /** Query-key pairs of these rows: `visiblePairs` of them. */
    readonly pairs: number;
  };
  /** Rows that meet the output table. */
  readonly headRows: number;
  /** `none`: all weights are frozen; `lora`: all but the adapters; `full`: no weight is. */
  readonly trained: 'none' | 'lora' | 'full';
  readonly lora?: LoraShape;
  /**
   * Whether the inputs of the first layer carry gradients although the input table is frozen: decoder inputs that
   * hold an encoder's latents, or a trained latent query. Default false.
   */
  readonly inputsTrained?: boolean;
  /** Whether each layer's forward pass runs again in the backward pass. Default false. */
  readonly checkpoint?: boolean;
}

/** Floating-point operations of a pass: a multiplication and an addition count as two. */
export interface PassFlops {
  readonly forward: number;
  readonly backward: number;
}

/** What one layer goes over: keys and values are made of all tokens, the rest of the rows that are read. */
interface LayerRows {
  readonly tokens: number;
  readonly rows: number;
  readonly pairs: number;
}

/** A gradient reaches the outputs only below something trained: `needed` says whether it does. */
interface Step extends PassFlops {
  readonly needed: boolean;
}

/**
 * FLOPs of one pass through a decoder, counted over its matrix products: 2 m k n for [m, k] x [k, n].
 *
 * Forward, with T tokens, P pairs, R head rows, width D, H query and G key-value heads of width d, feed-forward
 * width F, vocabulary V:
 * - a linear map from a to b, 2 T a b: query D to H d, key and value D to G d, output H d to D, gate (not in gpt2)
 *   and up D to F, down F to D; an adapter of rank r on it, 2 T r (a + b), or with T >= a rows 2 r (T a + a b), as it is
 *   added to the weight then, unless it drops numbers of its input;
 * - attention, 4 P H d a layer: q k^T, and the weights times v, over visible pairs only;
 * - in the last layer, where only N of the T rows are read, N in the place of T in all maps but key and value, and
 *   of the pairs those of the N queries;
 * - the head, 2 R D V; an adapter on the input table, 2 V r D for the table with its change.
 *
 * Backward, only what something trained needs:
 * - a linear map, once its forward cost for the gradient of its input, unless nothing below it is trained, and once
 *   for that of its weight, unless it is frozen; an adapter once more for the gradient of the input, and 2 T r (a + 2 b) for its own;
 * - attention, 2 P H d for the gradient of the weights, and as much for each of query, key and value;
 * - the head like a linear map: its weight's gradient where its table is trained, by an adapter too;
 * - with checkpointing, the forward cost of every layer that a gradient passes through.
 *
 * Left out, as they are linear in the number of activations and small beside the products: embedding look-ups,
 * norms, biases, rotary angles, softmax, element-wise functions, losses, the optimiser. Fused attention computes
 * q k^T once more in its backward pass; that is how, not what, and is left out too.
 *
 * @throws if a count is negative or not a whole number, or more rows are read than there are.
 * @throws if adapters are trained and there are none, or the whole model is and there are some.
 */
export function passFlops(config: ModelConfig, counts: PassCounts): PassFlops {
  checkCounts(counts);
  const { headRows, trained, checkpoint = false } = counts;
  const { width, vocabularySize, tiedEmbeddings } = config;
  const tableAdapter = counts.lora?.targets.includes('embed_tokens') ?? false;
  const tableTrained = trained === 'full' || (trained === 'lora' && tableAdapter);
  let needed = tableTrained || (counts.inputsTrained ?? false);
  let [forward, backward] = [0, 0];
  const { tokens, pairs, read = { rows: tokens, pairs } } = counts;
  for (let layer = 0; layer < config.layers; layer++) {
    const own = layer + 1 < config.layers ? { rows: tokens, pairs } : read;
    const cost = layerFlops(config, counts, { tokens, ...own }, needed);
    forward += cost.forward;
    backward += cost.backward + (checkpoint && cost.needed ? cost.forward : 0);
    needed = cost.needed;
  }
  const head = 2 * headRows * width * vocabularySize;
  const headTrained = trained === 'full' || (tiedEmbeddings && tableTrained);
  const table = tableAdapter ? 2 * vocabularySize * counts.lora!.rank * width : 0;
  return {
    forward: forward + head + table,
    backward: backward + head * (Number(needed) + Number(headTrained)) + (trained === 'lora' ? 2 * table : 0),
  };
}

function layerFlops(
  config: ModelConfig,
  counts: PassCounts,
  { tokens, rows, pairs }: LayerRows,
  inputNeeded: boolean,
): Step {
  const { width, feedForwardWidth } = config;
  const queryWidth = config.heads * config.headWidth;
  const keyWidth = config.keyValueHeads * config.headWidth;
  const linear = (name: LoraTarget, from: number, to: number, needed: boolean, over = rows) =>
    linearFlops(counts, name, [over, from, to], needed);
  const query = linear('q_proj', width, queryWidth, inputNeeded);
  const key = linear('k_proj', width, keyWidth, inputNeeded, tokens);
  const value = linear('v_proj', width, keyWidth, inputNeeded, tokens);
  const attention = attentionFlops(2 * pairs * queryWidth, [query, key, value]);
  const output = linear('o_proj', queryWidth, width, attention.needed);
  const middle = inputNeeded || output.needed;
  const raised = (['gate_proj', 'up_proj'] as const)
    .filter((name) => name === 'up_proj' || traitsOf(config.architecture).feedForward === 'swiglu')
    .map((name) => linear(name, width, feedForwardWidth, middle));
  const down = linear(
    'down_proj',
    feedForwardWidth,
    width,
    raised.some((step) => step.needed),
  );
  const steps = [query, key, value, attention, output, ...raised, down];
  return {
    forward: steps.reduce((sum, step) => sum + step.forward, 0),
    backward: steps.reduce((sum, step) => sum + step.backward, 0),
    needed: middle || down.needed,
  };
}

function linearFlops(
  { trained, lora }: PassCounts,
  name: LoraTarget,
  [rows, from, to]: readonly [rows: number, from: number, to: number],
  inputNeeded: boolean,
): Step {
  const product = 2 * rows * from * to;
  const rank = lora?.targets.includes(name) ? lora.rank : 0;
  const adapterTrained = trained === 'lora' && rank > 0;
  const [lower, raise] = [2 * rows * from * rank, 2 * rows * rank * to];
  const merge = 2 * rank * from * to;
  const merged = rows >= from && !lora?.dropout;
  const weightGradients = (trained === 'full' ? product : 0) + (adapterTrained ? lower + 2 * raise : 0);
  const inputGradient = inputNeeded ? product + (merged ? merge : lower + raise) : 0;
  return {
    forward: product + lower + (merged ? merge : raise),
    backward: weightGradients + inputGradient,
    needed: inputNeeded || trained === 'full' || adapterTrained,
  };
}

function attentionFlops(product: number, read: readonly Step[]): Step {
  const wanted = read.filter((step) => step.needed).length;
  return { forward: 2 * product, backward: wanted && product * (1 + wanted), needed: wanted > 0 };
}

function checkCounts({ tokens, pairs, headRows, read, trained, lora }: PassCounts): void {
  const numbers = {
    tokens,
    pairs,
    headRows,
    ...(read && { 'read.rows': read.rows, 'read.pairs': read.pairs }),
  };
  for (const [name, count] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new Error(`passFlops: expected ${name} to be a whole number >= 0, got ${count}`);
    }
  }
  if (read && read.rows > tokens) {
    throw new Error(`passFlops: expected at most ${tokens} rows that are read, got ${read.rows}`);
  }
  if (lora && (!Number.isSafeInteger(lora.rank) || lora.rank < 1)) {
    throw new Error(`passFlops: expected a rank that is a whole number >= 1, got ${lora.rank}`);
  }
  if (trained === 'lora' && !lora) {
    throw new Error('passFlops: expected the adapters that are trained, got none');
  }
  if (trained === 'full' && lora) {
    throw new Error('passFlops: expected no adapters where the whole model is trained, got some');
  }
}
