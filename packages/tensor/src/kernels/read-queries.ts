import * as tf from '@tensorflow/tfjs';
import type { AttentionMask } from './attention.js';
import type { RotaryTable } from './rotary.js';
import { gatherRows, type RowSelection, scatterRows } from './rows.js';

/** How the queries of a layer meet attention where only R of the B * T rows are read. */
export interface ReadQueries<Angles extends RotaryTable | null> {
  readonly rotary: Angles;
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
export function readQueries<Angles extends RotaryTable | null>(
  all: {
    readonly shape: readonly [batch: number, length: number];
    readonly rotary: Angles;
    readonly mask: AttentionMask;
  },
  read: RowSelection | null,
): ReadQueries<Angles> {
  const { rotary } = all;
  const same = (x: tf.Tensor2D) => x;
  if (!read) return { rotary, mask: all.mask, spread: same, collect: same };
  const [batch, length] = all.shape;
  if (batch > 1) {
    return {
      rotary,
      mask: all.mask,
      spread: (query) => scatterRows(tf.zeros([batch * length, query.shape[1]]), query, read),
      collect: (mixed) => gatherRows(mixed, read),
    };
  }
  const { ranges, bias, keys } = all.mask;
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
  return { rotary: table as Angles, mask, spread: same, collect: same };
}
