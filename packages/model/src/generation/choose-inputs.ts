import { type MixtureSettings, mixtureOfLogits } from '@latent-sft/soft-embedding';
import { gatherRows, packedProduct, selectRows } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import { inputTable, outputTable, type Parameters } from '../parameters/parameters.js';
import type { DecoderWeights } from './decoder-weights.js';
import { type LatentTrace, latentTraces } from './latent-trace.js';
import type { Feed, RowProgress } from './row-progress.js';
import { type Sampling, sampleToken } from './sampling.js';

/** How inputs are chosen, and what is told of latents. */
export interface ChoiceSettings {
  readonly mixture: MixtureSettings;
  readonly sampling: Sampling;
  /** How many of each latent's tokens to report; 0 reports none. */
  readonly traceSize: number;
  /** Whether each reported latent comes with its vector; default false. */
  readonly traceVectors?: boolean;
}

/** A row of a batch, by its place among the requests. */
export interface Row {
  readonly request: number;
  readonly progress: RowProgress;
}

/** What the rows of a batch are fed next. */
export interface Choice {
  /** null for a row that is done. */
  readonly feeds: readonly (Feed | null)[];
  /** The mixtures of the rows that are fed one, in their order, float32 [M, D]; the caller disposes it. */
  readonly latents: tf.Tensor2D | null;
}

/**
 * Lets each row choose its next input. The vocabulary is read once, for the rows that wait for it: the most probable
 * tokens, the mixtures of the rows that go on thinking and the answer tokens are all made from the same logits, which
 * stay on the backend unless tokens are sampled.
 *
 * @param weights whose output table is read, in its format; null for the parameters'
 * @param states float32 [B, D]
 * @param onTrace what to do with the trace of a request's newest latent
 */
export function chooseInputs(
  config: ModelConfig,
  parameters: Parameters,
  weights: DecoderWeights | null,
  states: tf.Tensor2D,
  rows: readonly Row[],
  settings: ChoiceSettings,
  onTrace: (request: number, trace: LatentTrace) => void,
): Choice {
  const { sampling, traceSize, traceVectors = false } = settings;
  const waiting = rows.flatMap(({ progress }, row) => (progress.awaitsLogits ? [row] : []));
  let feeds: (Feed | null)[] = [];
  const latents = tf.tidy((): tf.Tensor2D | undefined => {
    const read = (rows: tf.Tensor2D) =>
      weights
        ? packedProduct(rows, weights.readout)
        : tf.matMul<tf.Tensor2D>(rows, outputTable(config, parameters), false, true);
    const logits = waiting.length > 0 ? read(chosenRows(states, waiting)) : null;
    const mostProbable = logits ? tf.argMax(logits, 1).dataSync<'int32'>() : [];
    const rowLogits = (place: number) =>
      tf.tidy(() => tf.slice(logits!, [place, 0], [1, config.vocabularySize]).dataSync<'float32'>());
    const mixed: { readonly place: number; readonly request: number }[] = [];
    let place = 0;
    feeds = rows.map(({ progress, request }) => {
      if (progress.done) return null;
      const own = progress.awaitsLogits ? place++ : -1;
      const feed = progress.advance(mostProbable[own] ?? -1, () =>
        sampling.kind === 'greedy'
          ? mostProbable[own]!
          : sampleToken(rowLogits(own), sampling, request, progress.tokens.length),
      );
      if (feed?.kind === 'mixture') mixed.push({ place: own, request });
      return feed;
    });
    if (mixed.length === 0) return undefined;
    const thinking = chosenRows(
      logits!,
      mixed.map((row) => row.place),
    );
    const mixture = mixtureOfLogits(thinking, inputTable(parameters), settings.mixture);
    if (traceSize > 0 || traceVectors) {
      latentTraces(mixture, traceSize, traceVectors).forEach((trace, i) => {
        onTrace(mixed[i]!.request, trace);
      });
    }
    return mixture.latents;
  });
  return { feeds, latents: latents ?? null };
}

/** These rows of a matrix, in ascending order; the matrix itself where they are all of them. */
function chosenRows(x: tf.Tensor2D, rows: readonly number[]): tf.Tensor2D {
  return rows.length === x.shape[0] ? x : gatherRows(x, selectRows(rows, x.shape[0]));
}
