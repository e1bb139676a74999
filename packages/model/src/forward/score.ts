import { attentionMask, crossEntropy, embedding } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';
import { inputTable, outputTable, type Parameters } from '../parameters/parameters.js';
import { causalRanges } from './causal-ranges.js';
import { decoderStates } from './decoder-states.js';
import { positionTable } from './positions.js';

/**
 * Negative log-likelihood of each token given those before it, in nats, from the second token on.
 *
 * @returns ids.length - 1 numbers
 * @throws if there are fewer than two ids.
 * @throws if an id is outside the vocabulary.
 */
export function scoreTokens(
  config: ModelConfig,
  parameters: Parameters,
  ids: readonly number[],
): Float32Array {
  if (ids.length < 2) throw new Error(`scoreTokens: expected at least two ids, got ${ids.length}`);
  checkIds('scoreTokens', ids, config.vocabularySize);
  return tf.tidy(() => {
    const length = ids.length - 1;
    const table = inputTable(parameters);
    const mask = attentionMask(causalRanges([length], length), { batch: 1, queries: length, keys: length });
    const positions = Int32Array.from({ length }, (_, i) => i);
    const inputs = embedding(table, tf.tensor1d(ids.slice(0, -1), 'int32'));
    const states = decoderStates({
      config,
      parameters,
      inputs: tf.reshape(inputs, [1, length, config.width]),
      positions: positionTable(config, positions, [1, length]),
      mask,
    });
    const rows: tf.Tensor2D = tf.reshape(states, [length, config.width]);
    const logits = tf.matMul<tf.Tensor2D>(rows, outputTable(config, parameters), false, true);
    return crossEntropy(logits, tf.tensor1d(ids.slice(1), 'int32'))
      .dataSync<'float32'>()
      .slice();
  });
}

/**
 * Checks that ids are tokens.
 *
 * @throws if one is outside the vocabulary, naming it and its place.
 */
export function checkIds(caller: string, ids: readonly number[], vocabulary: number): void {
  ids.forEach((id, place) => {
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary) {
      throw new Error(
        `${caller}: expected token ids within [0, ${vocabulary}), got ${id} at place ${place + 1}`,
      );
    }
  });
}
