import { type RotaryTable, rotaryTable } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from '../config.js';

/** What a pass needs of the positions of B rows of T tokens; the caller disposes it. */
export interface PositionTable {
  readonly rotary: RotaryTable;
  dispose(): void;
}

/**
 * The positions of B rows of T tokens in the form that the model reads.
 *
 * @param positions int32 [B * T], row-major, from 0
 * @throws if positions does not hold B * T numbers.
 */
export function positionTable(
  config: ModelConfig,
  positions: Int32Array,
  shape: readonly [batch: number, length: number],
): PositionTable {
  const rotary = rotaryTable(positions, shape, config.headWidth, config.ropeBase);
  return {
    rotary,
    dispose() {
      tf.dispose([rotary.cosine, rotary.sine]);
    },
  };
}
