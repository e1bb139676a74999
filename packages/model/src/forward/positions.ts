import { type RotaryTable, rotaryTable } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';

/** What a pass needs of the positions of B rows of T tokens: one of the two; the caller disposes it. */
export interface PositionTable {
  /** The angles of rotated positions. */
  readonly rotary: RotaryTable | null;
  /** The rows of learned positions, int32 [B * T]. */
  readonly ids: tf.Tensor1D | null;
  dispose(): void;
}

/**
 * The positions of B rows of T tokens in the form that the model reads.
 *
 * @param positions int32 [B * T], row-major, from 0
 * @throws if positions does not hold B * T numbers.
 * @throws if the model's positions are learned and one lies beyond the last of them.
 */
export function positionTable(
  config: ModelConfig,
  positions: Int32Array,
  shape: readonly [batch: number, length: number],
): PositionTable {
  if (traitsOf(config.architecture).positions === 'learned')
    return learnedPositions(config, positions, shape);
  const { headWidth, ropeBase, ropeStretch } = config;
  const rotary = rotaryTable(positions, shape, headWidth, ropeBase!, ropeStretch);
  return {
    rotary,
    ids: null,
    dispose() {
      tf.dispose([rotary.cosine, rotary.sine]);
    },
  };
}

function learnedPositions(
  { architecture, maxPositions }: ModelConfig,
  positions: Int32Array,
  [batch, length]: readonly [batch: number, length: number],
): PositionTable {
  if (positions.length !== batch * length) {
    throw new Error(`positionTable: expected ${batch} x ${length} positions, got ${positions.length}`);
  }
  for (const position of positions) {
    if (position < 0 || position >= maxPositions) {
      throw new Error(
        `positionTable: expected positions within [0, ${maxPositions}), those that ${architecture} has learned, got ${position}`,
      );
    }
  }
  const ids = tf.tensor1d(positions, 'int32');
  return { rotary: null, ids, dispose: () => ids.dispose() };
}
