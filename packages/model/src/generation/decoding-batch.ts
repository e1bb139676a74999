import {
  attentionMask,
  decoderStep,
  embedding,
  gatherRows,
  type KeyValueCache,
  scatterRows,
  selectRows,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import { continuationRanges } from '../forward/causal-ranges.js';
import { type DecoderPass, decoderStates, readStates } from '../forward/decoder-states.js';
import { type LayerCache, layerCaches } from '../forward/layer-cache.js';
import { positionTable } from '../forward/positions.js';
import { inputTable, type Parameters } from '../parameters/parameters.js';
import type { DecoderWeights } from './decoder-weights.js';
import { type Prompt, promptRows } from './prompt-rows.js';
import type { Feed } from './row-progress.js';

/** The longest prompt that was measured to take less as one step than as blocks, which pack their weights: 0.8x here. */
const STEP_TOKENS = 256;

/** Rows that are decoded together, each at its own length, in one cache a layer; the caller disposes it. */
export class DecodingBatch {
  private readonly caches: LayerCache[];
  private lengths: readonly number[] = [];
  private promptLength = 0;
  private steps = 0;

  constructor(
    private readonly config: ModelConfig,
    private readonly parameters: Parameters,
    /** Null for steps of one operation after the other. */
    private readonly weights: DecoderWeights | null,
    /** The parameters themselves for a step; null for prompts of one operation after the other. */
    private readonly exact: DecoderWeights | null,
  ) {
    this.caches = layerCaches(config.layers);
  }

  /**
   * Runs the prompts, tokens or vectors float32 [D], and gives the state of each one's last input.
   *
   * @returns float32 [B, D]
   */
  prefill(prompts: readonly Prompt[]): tf.Tensor2D {
    const { config, parameters, caches } = this;
    const lengths = prompts.map((prompt) => prompt.length);
    this.lengths = lengths;
    this.promptLength = Math.max(...lengths);
    const { shape, packed, ids, vectors, positions, ranges, last } = promptRows(prompts);
    const [batch, length] = shape;
    return tf.tidy(() => {
      let inputs = embedding(inputTable(parameters), tf.tensor1d(ids, 'int32'));
      if (vectors.length > 0) {
        const values = new Float32Array(vectors.length * config.width);
        vectors.forEach((vector, i) => {
          values.set(vector.values, i * config.width);
        });
        const places = vectors.map(({ place }) => place);
        const given = tf.tensor2d(values, [vectors.length, config.width]);
        inputs = scatterRows(inputs, given, selectRows(places, ids.length));
      }
      if (this.exact && prompts.length === 1 && length <= STEP_TOKENS) {
        const held = caches.map((cache) => cache.open(length, config.keyValueHeads, config.headWidth));
        const states = this.advance(this.exact, inputs, positions, ranges, held);
        return gatherRows(states, selectRows(last, length));
      }
      const keys = packed ? length : caches[0]!.keysAfter(length);
      const pass: DecoderPass = {
        config,
        parameters,
        inputs: tf.reshape(inputs, [batch, length, config.width]),
        positions: positionTable(config, positions, shape),
        mask: attentionMask(ranges, { batch, queries: length, keys }),
        ...(packed
          ? { onKeys: (layer, key, value) => caches[layer]!.fill(key, value, lengths) }
          : { cache: caches }),
      };
      return readStates(pass, selectRows(last, ids.length));
    });
  }

  /**
   * One more input a row; a row without one is done, and what comes out for it means nothing.
   *
   * @param latents the mixtures of the rows that are fed one, in their order, float32 [M, D]
   * @returns states, float32 [B, D]
   */
  step(feeds: readonly (Feed | null)[], latents: tf.Tensor2D | null): tf.Tensor2D {
    const { config, parameters, caches } = this;
    const batch = feeds.length;
    // a row that is done must not run beyond the positions that a model has learned
    const positions = Int32Array.from(feeds, (feed, row) => (feed ? this.lengths[row]! + this.steps : 0));
    this.steps++;
    const seen = feeds.map((feed, row) => (feed ? this.lengths[row]! : null));
    const ranges = continuationRanges(seen, this.promptLength, this.steps);
    return tf.tidy(() => {
      const inputs = this.stepInputs(feeds, latents);
      if (this.weights) {
        const held = caches.map((cache) => cache.withRoom(1));
        return this.advance(this.weights, inputs, positions, ranges, held);
      }
      const states = decoderStates({
        config,
        parameters,
        inputs: tf.reshape(inputs, [batch, 1, config.width]),
        positions: positionTable(config, positions, [batch, 1]),
        mask: attentionMask(ranges, { batch, queries: 1, keys: caches[0]!.keysAfter(1) }),
        cache: caches,
      });
      return tf.reshape(states, [batch, config.width]);
    });
  }

  /** Keeps these rows only. */
  keepRows(rows: readonly number[]): void {
    this.lengths = rows.map((row) => this.lengths[row]!);
    for (const cache of this.caches) cache.keepRows(rows);
  }

  dispose(): void {
    for (const cache of this.caches) cache.dispose();
  }

  /** The next tokens of every row, whose caches have room for them, as one operation. */
  private advance(
    { layers }: DecoderWeights,
    inputs: tf.Tensor2D,
    positions: Int32Array,
    ranges: Int32Array,
    held: readonly KeyValueCache[],
  ): tf.Tensor2D {
    const [batch, keys] = held[0]!.key.shape;
    const queries = inputs.shape[0] / batch;
    const mask = attentionMask(ranges, { batch, queries, keys });
    const { rotary } = positionTable(this.config, positions, [batch, queries]);
    const states = decoderStep(inputs, layers, rotary!, mask.ranges, held);
    for (const cache of this.caches) cache.filled(queries);
    return states;
  }

  private stepInputs(feeds: readonly (Feed | null)[], latents: tf.Tensor2D | null): tf.Tensor2D {
    const mixed = feeds.flatMap((feed, row) => (feed?.kind === 'mixture' ? [row] : []));
    if (latents && mixed.length === feeds.length) return latents;
    const ids = feeds.map((feed) => (feed?.kind === 'token' ? feed.id : 0));
    const words = embedding(inputTable(this.parameters), tf.tensor1d(ids, 'int32'));
    return latents ? scatterRows(words, latents, selectRows(mixed, feeds.length)) : words;
  }
}
