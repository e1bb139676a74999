import {
  type AttentionMask,
  gatherRows,
  type RotaryTable,
  type RowSelection,
  scatterRows,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import type { PositionTable } from './positions.js';

/** How the queries of a layer meet attention where only R of the B * T rows are read. */
export interface ReadQueries {
  readonly rotary: RotaryTable | null;
  readonly mask: AttentionMask;
  /** Query rows as attention takes them, [R, H d] -> [B T', H d]. */
  spread(query: tf.Tensor2D): tf.Tensor2D;
  /** The rows that are read of what attention gives, [B T', H d] -> [R, H d]. */
  collect(mixed: tf.Tensor2D): tf.Tensor2D;
}

/**
 * The queries of the rows that are read, or of all. In one row of tokens (B = 1) they stand alone, R of them over all
 * keys; where several rows hold different numbers of them, they go back to their places among zeros.
 *
 * @param read out of the B * T rows; null: all are read
 */
export function readQueries(
  pass: {
    readonly inputs: tf.Tensor3D;
    readonly positions: PositionTable;
    readonly mask: AttentionMask;
  },
  read: RowSelection | null,
): ReadQueries {
  const { rotary } = pass.positions;
  const same = (x: tf.Tensor2D) => x;
  if (!read) return { rotary, mask: pass.mask, spread: same, collect: same };
  const [batch, length] = pass.inputs.shape;
  if (batch > 1) {
    return {
      rotary,
      mask: pass.mask,
      spread: (query) => scatterRows(tf.zeros([batch * length, query.shape[1]]), query, read),
      collect: (mixed) => gatherRows(mixed, read),
    };
  }
  const { ranges, bias, keys } = pass.mask;
  const mask: AttentionMask = {
    ranges: tf.gather(ranges, read.rows, 1),
    bias: bias && tf.gather(bias, read.rows, 2),
    keys,
    dispose: () => tf.dispose(bias ? [mask.ranges, mask.bias!] : [mask.ranges]),
  };
  const table = rotary && {
    cosine: tf.gather(rotary.cosine, read.rows, 1),
    sine: tf.gather(rotary.sine, read.rows, 1),
  };
  return { rotary: table, mask, spread: same, collect: same };
}
