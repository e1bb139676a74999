import { type MixtureSettings, vocabularyMixture } from '@latent-sft/soft-embedding';
import { attentionMask, embedding, gatherRows, selectRows } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import { causalRanges, continuationRanges } from '../forward/causal-ranges.js';
import { decoderStates } from '../forward/decoder-states.js';
import { type LayerCache, layerCaches } from '../forward/layer-cache.js';
import { positionTable } from '../forward/positions.js';
import { checkIds } from '../forward/score.js';
import { inputTable, outputTable, type Parameters } from '../parameters/parameters.js';
import { type Feed, type LatentStop, RowProgress, type StopSettings } from './row-progress.js';
import { argmax, type Sampling, sampleToken } from './sampling.js';

/** One question to answer. */
export interface GenerationRequest {
  /** Question and think marker. */
  readonly prompt: readonly number[];
  /** Latents to feed in place of the model's own, float32 [D] each: for measuring what latents do. */
  readonly givenLatents?: readonly Float32Array[];
}

/** How to answer. */
export interface GenerationSettings extends StopSettings {
  readonly mixture: MixtureSettings;
  readonly sampling: Sampling;
  /** How many of each latent's tokens to report; 0 reports none. */
  readonly traceSize: number;
  /** Whether each reported latent comes with its vector; default false. */
  readonly traceVectors?: boolean;
}

/** A latent as words: its most probable tokens and their weights. */
export interface LatentTrace {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
  /** Entropy of all its weights, in nats. */
  readonly entropy: number;
  /** z itself, float32 [D], where asked for. */
  readonly vector?: Float32Array;
}

/** One answered question. */
export interface Generation {
  /** Generated tokens without the final end of text; with a written chain the chain and its end marker too. */
  readonly tokens: readonly number[];
  readonly latentCount: number;
  readonly latentStop: LatentStop;
  readonly latents: readonly LatentTrace[];
}

/** The rows still being generated, and what they have in common. */
interface Active {
  rows: { readonly request: number; readonly progress: RowProgress; readonly promptTokens: number }[];
  readonly caches: LayerCache[];
  readonly promptLength: number;
  steps: number;
}

/**
 * Answers questions as one batch: the prompt in one pass, then latents, end marker and answer one step at a
 * time in the same KV cache. Each row ends its latent phase (N = 0 allowed) and its answer by itself; finished
 * rows leave the batch once they are half of it.
 *
 * @throws if a prompt is empty or holds an id outside the vocabulary.
 */
export function generate(
  config: ModelConfig,
  parameters: Parameters,
  requests: readonly GenerationRequest[],
  settings: GenerationSettings,
): Generation[] {
  for (const { prompt } of requests) {
    if (prompt.length === 0) throw new Error('generate: expected a prompt of at least one token, got none');
    checkIds('generate', prompt, config.vocabularySize);
  }
  if (requests.length === 0) return [];
  const traces: LatentTrace[][] = requests.map(() => []);
  const progress = requests.map((request) => new RowProgress(settings, request.givenLatents));
  const active: Active = {
    rows: requests.map((request, i) => ({
      request: i,
      progress: progress[i]!,
      promptTokens: request.prompt.length,
    })),
    caches: layerCaches(config.layers),
    promptLength: Math.max(...requests.map((request) => request.prompt.length)),
    steps: 0,
  };
  let states = prefill(config, parameters, requests, active);
  try {
    for (;;) {
      const { feeds, latents } = chooseInputs(config, parameters, states, active, settings, traces);
      states.dispose();
      const kept = feeds.flatMap((feed, row) => (feed ? [row] : []));
      if (kept.length === 0) {
        latents?.dispose();
        break;
      }
      // a finished row is fed padding until enough of them are finished to be worth a copy of the cache
      const shrink = kept.length <= feeds.length / 2;
      const rows = shrink ? kept : feeds.map((_, row) => row);
      if (shrink) {
        active.rows = rows.map((row) => active.rows[row]!);
        for (const cache of active.caches) cache.keepRows(rows);
      }
      states = tf.tidy(() => {
        const inputs = stepInputs(
          config,
          parameters,
          rows.map((row) => feeds[row]!),
          rows,
          latents,
        );
        return step(config, parameters, inputs, active);
      });
      latents?.dispose();
    }
  } finally {
    for (const cache of active.caches) cache.dispose();
  }
  return progress.map(({ tokens, latentCount, latentStop }, i) => ({
    tokens,
    latentCount,
    latentStop,
    latents: traces[i]!,
  }));
}

/** Runs the prompts and gives the state of each one's last token, [B, D]. */
function prefill(
  config: ModelConfig,
  parameters: Parameters,
  requests: readonly GenerationRequest[],
  { caches, promptLength }: Active,
): tf.Tensor2D {
  const batch = requests.length;
  const lengths = requests.map((request) => request.prompt.length);
  const ids = new Int32Array(batch * promptLength);
  requests.forEach((request, row) => {
    ids.set(request.prompt, row * promptLength);
  });
  const positions = Int32Array.from(ids, (_, i) => i % promptLength);
  return tf.tidy(() => {
    const flat = embedding(inputTable(parameters), tf.tensor1d(ids, 'int32'));
    const states = decoderStates({
      config,
      parameters,
      inputs: tf.reshape(flat, [batch, promptLength, config.width]),
      positions: positionTable(config, positions, [batch, promptLength]),
      mask: attentionMask(causalRanges(lengths, promptLength), {
        batch,
        queries: promptLength,
        keys: promptLength,
      }),
      cache: caches,
    });
    const last = selectRows(
      lengths.map((length, row) => row * promptLength + length - 1),
      batch * promptLength,
    );
    return gatherRows(tf.reshape(states, [batch * promptLength, config.width]), last);
  });
}

/** Reads the logits on the host and lets each row choose its next input. */
function chooseInputs(
  config: ModelConfig,
  parameters: Parameters,
  states: tf.Tensor2D,
  active: Active,
  settings: GenerationSettings,
  traces: LatentTrace[][],
): { feeds: (Feed | null)[]; latents: tf.Tensor2D | null } {
  const table = outputTable(config, parameters);
  const vocabulary = config.vocabularySize;
  const product = tf.matMul(states, table, false, true);
  const logits = product.dataSync<'float32'>();
  product.dispose();
  const thinking = active.rows.some((row) => row.progress.thinking);
  const mixtures = thinking
    ? vocabularyMixture(states, table, inputTable(parameters), settings.mixture)
    : null;
  const alpha = mixtures?.alpha.dataSync<'float32'>();
  const ids = mixtures?.ids?.dataSync<'int32'>();
  const vectors = settings.traceVectors ? mixtures?.latents.dataSync<'float32'>() : undefined;
  const feeds = active.rows.map(({ progress, request }, row) => {
    if (progress.done) return null;
    const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const feed = progress.advance(argmax(own), () =>
      sampleToken(own, settings.sampling, request, progress.tokens.length),
    );
    if (feed?.kind === 'mixture' && (settings.traceSize > 0 || settings.traceVectors)) {
      const width = alpha!.length / active.rows.length;
      const weights = alpha!.subarray(row * width, (row + 1) * width);
      const trace = traceOf(weights, ids?.subarray(row * width, (row + 1) * width), settings.traceSize);
      const vector = vectors?.slice(row * config.width, (row + 1) * config.width);
      traces[request]!.push(vector ? { ...trace, vector } : trace);
    }
    return feed;
  });
  if (mixtures) tf.dispose([mixtures.alpha, ...(mixtures.ids ? [mixtures.ids] : [])]);
  return { feeds, latents: mixtures?.latents ?? null };
}

function traceOf(weights: Float32Array, ids: Int32Array | undefined, size: number): LatentTrace {
  const order = Array.from(weights, (_, i) => i)
    .sort((a, b) => weights[b]! - weights[a]!)
    .slice(0, size);
  let entropy = 0;
  for (const weight of weights) if (weight > 0) entropy -= weight * Math.log(weight);
  return { ids: order.map((i) => (ids ? ids[i]! : i)), weights: order.map((i) => weights[i]!), entropy };
}

/** Embeds tokens, takes mixtures, and sets given vectors: [B, D]. */
function stepInputs(
  config: ModelConfig,
  parameters: Parameters,
  feeds: readonly (Feed | null)[],
  rows: readonly number[],
  latents: tf.Tensor2D | null,
): tf.Tensor2D {
  const ids = feeds.map((feed) => (feed?.kind === 'token' ? feed.id : 0));
  let inputs = embedding(inputTable(parameters), tf.tensor1d(ids, 'int32'));
  const replace = (kind: Feed['kind'], values: tf.Tensor2D) => {
    const chosen = tf.tensor2d(
      feeds.map((feed) => [feed?.kind === kind ? 1 : 0]),
      [feeds.length, 1],
      'bool',
    );
    inputs = tf.where(chosen, values, inputs);
  };
  if (latents && feeds.some((feed) => feed?.kind === 'mixture')) {
    replace('mixture', tf.gather(latents, tf.tensor1d([...rows], 'int32')));
  }
  if (feeds.some((feed) => feed?.kind === 'vector')) {
    const values = new Float32Array(feeds.length * config.width);
    feeds.forEach((feed, row) => {
      if (feed?.kind === 'vector') values.set(feed.values, row * config.width);
    });
    replace('vector', tf.tensor2d(values, [feeds.length, config.width]));
  }
  return inputs;
}

/** One more token a row: states [B, D]. */
function step(config: ModelConfig, parameters: Parameters, inputs: tf.Tensor2D, active: Active): tf.Tensor2D {
  const batch = active.rows.length;
  const lengths = active.rows.map((row) => row.promptTokens);
  // a finished row reads padding, and must not run beyond the positions that a model has learned
  const positions = Int32Array.from(active.rows, ({ progress, promptTokens }) =>
    progress.done ? 0 : promptTokens + active.steps,
  );
  active.steps++;
  const keys = active.promptLength + active.steps;
  const ranges = continuationRanges(lengths, active.promptLength, active.steps);
  const states = decoderStates({
    config,
    parameters,
    inputs: tf.reshape(inputs, [batch, 1, config.width]),
    positions: positionTable(config, positions, [batch, 1]),
    mask: attentionMask(ranges, { batch, queries: 1, keys }),
    cache: active.caches,
  });
  return tf.reshape(states, [batch, config.width]);
}
