import { decoderStates, inputTable, type ModelConfig, type Parameters } from '@latent-sft/model';
import { embedding, scatterRows } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { DeviceBatch } from './device-batch.js';

/**
 * States of a packed batch, with latents in their slots where given.
 *
 * @param latents z of every latent row, float32 [L, D]
 * @returns float32 [B * T, D]
 */
export function batchStates(
  config: ModelConfig,
  parameters: Parameters,
  batch: DeviceBatch,
  latents: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const [rows, length] = batch.shape;
  const words = embedding(inputTable(parameters), batch.ids);
  const inputs = latents ? scatterRows(words, latents, batch.latents) : words;
  const states = decoderStates({
    config,
    parameters,
    inputs: tf.reshape(inputs, [rows, length, config.width]),
    positions: batch.positions,
    mask: batch.mask,
    checkpoint: batch.checkpoint,
    dropout: batch.dropout,
  });
  return tf.reshape(states, [rows * length, config.width]);
}
