import { inputTable, type ModelConfig, type Parameters, readStates } from '@latent-sft/model';
import { embedding, type RowSelection, scatterRows } from '@latent-sft/tensor';
import type * as tf from '@tensorflow/tfjs';
import type { DeviceBatch } from './device-batch.js';

/**
 * States of a packed batch at the rows that a loss reads, with latents in their slots where given.
 *
 * @param read out of the B * T rows
 * @param latents z of every latent row, float32 [L, D]
 * @returns float32 [R, D]
 */
export function batchStates(
  config: ModelConfig,
  parameters: Parameters,
  batch: DeviceBatch,
  read: RowSelection,
  latents: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const words = embedding(inputTable(parameters), batch.ids);
  const pass = {
    config,
    parameters,
    inputs: latents ? scatterRows(words, latents, batch.latents) : words,
    positions: batch.positions,
    mask: batch.mask,
    checkpoint: batch.checkpoint,
    dropout: batch.dropout,
  };
  return readStates(pass, read);
}
