import type { Batch } from '@latent-sft/data';
import type { ModelConfig } from '@latent-sft/model';
import {
  type AttentionMask,
  attentionMask,
  type RotaryTable,
  type RowSelection,
  rotaryTable,
  selectRows,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

/** A packed batch as tensors; the caller disposes it. */
export interface DeviceBatch {
  readonly shape: readonly [rows: number, length: number];
  /** int32 [B * T] */
  readonly ids: tf.Tensor1D;
  readonly rotary: RotaryTable;
  readonly mask: AttentionMask;
  readonly latents: RowSelection;
  readonly beforeLatents: RowSelection;
  /** float32 [L] */
  readonly latentWeights: tf.Tensor1D;
  /** Distinct rows that predict at least one target. */
  readonly targets: RowSelection;
  readonly targetIds: tf.Tensor1D;
  readonly targetWeights: tf.Tensor1D;
  dispose(): void;
}

/** Moves a batch to the current backend, in one copy a field. */
export function deviceBatch(batch: Batch, config: ModelConfig): DeviceBatch {
  const { rows, length } = batch;
  const total = rows * length;
  const rotary = rotaryTable(batch.positions, [rows, length], config.headWidth, config.ropeBase);
  const mask = attentionMask(batch.ranges, { batch: rows, queries: length, keys: length });
  const latents = selectRows(batch.latentRows, total);
  const beforeLatents = selectRows(batch.beforeLatents, total);
  const targets = selectRows(batch.targetRows, total);
  const tensors = {
    ids: tf.tensor1d(batch.ids, 'int32'),
    latentWeights: tf.tensor1d(batch.latentWeights),
    targetIds: tf.tensor1d(batch.targetIds, 'int32'),
    targetWeights: tf.tensor1d(batch.targetWeights),
  };
  return {
    shape: [rows, length],
    ...tensors,
    rotary,
    mask,
    latents,
    beforeLatents,
    targets,
    dispose() {
      tf.dispose([...Object.values(tensors), rotary.cosine, rotary.sine]);
      for (const part of [mask, latents, beforeLatents, targets]) part.dispose();
    },
  };
}
