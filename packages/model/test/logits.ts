import { attentionMask, embedding } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import {
  causalRanges,
  decoderStates,
  inputTable,
  type ModelConfig,
  outputTable,
  type Parameters,
  positionTable,
} from '../src/index.js';

/** The logits after each token of one text, [T, V]. */
export function logitsOf(config: ModelConfig, parameters: Parameters, ids: readonly number[]): number[][] {
  const length = ids.length;
  return tf.tidy(() => {
    const words = embedding(inputTable(parameters), tf.tensor1d([...ids], 'int32'));
    const places = Int32Array.from({ length }, (_, t) => t);
    const states = decoderStates({
      config,
      parameters,
      inputs: tf.reshape(words, [1, length, config.width]),
      positions: positionTable(config, places, [1, length]),
      mask: attentionMask(causalRanges([length], length), { batch: 1, queries: length, keys: length }),
    });
    const rows: tf.Tensor2D = tf.reshape(states, [length, config.width]);
    return tf.matMul<tf.Tensor2D>(rows, outputTable(config, parameters), false, true).arraySync();
  });
}

/** The largest difference between logits of one shape. */
export function maxDifference(
  got: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): number {
  let largest = got.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  expected.forEach((row, t) => {
    row.forEach((logit, id) => {
      const difference = Math.abs(logit - (got[t]?.[id] ?? Number.POSITIVE_INFINITY));
      if (!(difference <= largest)) largest = difference;
    });
  });
  return largest;
}
