import type { Batch } from '@latent-sft/data';
import { type ModelConfig, type PositionTable, positionTable } from '@latent-sft/model';
import {
  type AdapterDropout,
  type AttentionMask,
  attentionMask,
  type RowSelection,
  selectRows,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { TrainingPass } from './training-pass.js';

/** A packed batch as tensors; the caller disposes it. */
export interface DeviceBatch {
  readonly shape: readonly [rows: number, length: number];
  /** Whether the backward pass computes layers again in place of keeping what they made. */
  readonly checkpoint: boolean;
  /** What adapters do not see of their inputs; null where nothing trains. */
  readonly dropout: AdapterDropout | null;
  /** int32 [B * T] */
  readonly ids: tf.Tensor1D;
  readonly positions: PositionTable;
  readonly mask: AttentionMask;
  readonly latents: RowSelection;
  readonly beforeLatents: RowSelection;
  /** float32 [L] */
  readonly latentWeights: tf.Tensor1D;
  /** Distinct rows that predict at least one target. */
  readonly targets: RowSelection;
  readonly targetIds: tf.Tensor1D;
  readonly targetWeights: tf.Tensor1D;
  /** Where a student says anything: the rows before latents, then those of targets. */
  readonly said: RowSelection;
  dispose(): void;
}

const NOTHING_TRAINS: TrainingPass = { checkpoint: false, dropout: null };

/** Moves a batch to the current backend, in one copy a field. */
export function deviceBatch(
  batch: Batch,
  config: ModelConfig,
  { checkpoint, dropout } = NOTHING_TRAINS,
): DeviceBatch {
  const { rows, length } = batch;
  const total = rows * length;
  const positions = positionTable(config, batch.positions, [rows, length]);
  const mask = attentionMask(batch.ranges, { batch: rows, queries: length, keys: length });
  const latents = selectRows(batch.latentRows, total);
  const beforeLatents = selectRows(batch.beforeLatents, total);
  const targets = selectRows(batch.targetRows, total);
  const said = selectRows(joined(batch.beforeLatents, batch.targetRows), total);
  const tensors = {
    ids: tf.tensor1d(batch.ids, 'int32'),
    latentWeights: tf.tensor1d(batch.latentWeights),
    targetIds: tf.tensor1d(batch.targetIds, 'int32'),
    targetWeights: tf.tensor1d(batch.targetWeights),
  };
  return {
    shape: [rows, length],
    checkpoint,
    dropout,
    ...tensors,
    positions,
    mask,
    latents,
    beforeLatents,
    targets,
    said,
    dispose() {
      tf.dispose(Object.values(tensors));
      for (const part of [positions, mask, latents, beforeLatents, targets, said]) part.dispose();
    },
  };
}

function joined(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
