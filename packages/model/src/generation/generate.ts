import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import { checkIds } from '../forward/score.js';
import type { Parameters } from '../parameters/parameters.js';
import { type ChoiceSettings, chooseInputs, type Row } from './choose-inputs.js';
import { type DecoderWeights, decoderWeights } from './decoder-weights.js';
import { DecodingBatch } from './decoding-batch.js';
import type { LatentTrace } from './latent-trace.js';
import { type LatentStop, RowProgress, type StopSettings } from './row-progress.js';

/** One question to answer. */
export interface GenerationRequest {
  /** Question and think marker. */
  readonly prompt: readonly number[];
  /** Latents to feed in place of the model's own, float32 [D] each: for measuring what latents do. */
  readonly givenLatents?: readonly Float32Array[];
}

/** How to answer. */
export interface GenerationSettings extends StopSettings, ChoiceSettings {
  /** What steps after the prompt read in place of the parameters: `decoderWeights` in a format of fewer bytes. */
  readonly weights?: DecoderWeights | undefined;
}

/** One answered question. */
export interface Generation {
  /** Generated tokens without the final end of text; with a written chain the chain and its end marker too. */
  readonly tokens: readonly number[];
  readonly latentCount: number;
  readonly latentStop: LatentStop;
  readonly latents: readonly LatentTrace[];
}

/** Copying the cache of a row takes about as long as so many steps of a row that is done. */
const STEPS_PER_COPY = 4;

/**
 * Answers questions as one batch: the prompt, and what is known to follow it, in one pass, then latents, end marker
 * and answer one step at a time in the same KV cache. Each row ends its latent phase (N = 0 allowed) and its answer by
 * itself, where a model has learned its positions also at the last of them; finished rows leave the batch once they
 * have cost as much as a copy of the cache.
 *
 * @throws if a prompt is empty or holds an id outside the vocabulary.
 * @throws if a prompt has more tokens than the model has learned positions.
 */
export function generate(
  config: ModelConfig,
  parameters: Parameters,
  requests: readonly GenerationRequest[],
  settings: GenerationSettings,
): Generation[] {
  const positions =
    traitsOf(config.architecture).positions === 'learned' ? config.maxPositions : Number.POSITIVE_INFINITY;
  for (const { prompt } of requests) {
    if (prompt.length === 0) throw new Error('generate: expected a prompt of at least one token, got none');
    if (prompt.length > positions) {
      throw new Error(
        `generate: expected a prompt of at most ${positions} tokens, the positions that ${config.architecture} has learned, got ${prompt.length}`,
      );
    }
    checkIds('generate', prompt, config.vocabularySize);
  }
  if (requests.length === 0) return [];
  const traces: LatentTrace[][] = requests.map(() => []);
  const progress = requests.map(
    ({ prompt, givenLatents }) => new RowProgress(settings, givenLatents, positions - prompt.length),
  );
  let rows: Row[] = progress.map((row, request) => ({ request, progress: row }));
  const exact = decoderWeights(config, parameters, 'float32');
  const weights = settings.weights ?? exact;
  const batch = new DecodingBatch(config, parameters, weights, exact);
  try {
    let states = batch.prefill(requests.map(({ prompt }, i) => [...prompt, ...progress[i]!.lead]));
    for (let idle = 0; ; ) {
      let { feeds, latents } = chooseInputs(
        config,
        parameters,
        weights,
        states,
        rows,
        settings,
        (request, trace) => traces[request]!.push(trace),
      );
      states.dispose();
      const kept = feeds.flatMap((feed, row) => (feed ? [row] : []));
      if (kept.length === 0) break;
      idle += feeds.length - kept.length;
      if (kept.length < feeds.length && idle >= STEPS_PER_COPY * kept.length) {
        batch.keepRows(kept);
        rows = kept.map((row) => rows[row]!);
        feeds = kept.map((row) => feeds[row]!);
        idle = 0;
      }
      states = batch.step(feeds, latents);
      latents?.dispose();
    }
  } finally {
    batch.dispose();
  }
  return progress.map(({ tokens, latentCount, latentStop }, i) => ({
    tokens,
    latentCount,
    latentStop,
    latents: traces[i]!,
  }));
}
