import * as tf from '@tensorflow/tfjs';
import {
  defineKernel,
  type Kernel,
  type KernelImplementation,
  type NamedTensors,
  runKernel,
} from '../kernel.js';

/** What takes a word out of a choice. */
const EXCLUDED = -1e9;

const choice = (name: string, inputs: readonly string[], forward: KernelImplementation['forward']) =>
  defineKernel({
    ...{ name, inputs, outputs: 2, saved: { inputs: [], outputs: [] } },
    composition: { forward, backward: () => ({}) },
  });

function largest(logits: tf.Tensor2D, excluded: tf.Tensor, count: number): tf.Tensor[] {
  const open =
    excluded.size === 0
      ? logits
      : tf.add<tf.Tensor2D>(
          logits,
          tf.mul(tf.sum(tf.oneHot(excluded as tf.Tensor1D, logits.shape[1]), 0), EXCLUDED),
        );
  const { values, indices } = tf.topk<tf.Tensor2D>(open, count);
  return [values, indices];
}

const kernel = choice('LatentTopWords', ['logits', 'excluded'], ({ logits, excluded }, { count }) =>
  largest(logits as tf.Tensor2D, excluded!, count as number),
);

const headKernel = choice(
  'LatentHeadTopWords',
  ['hidden', 'table', 'excluded'],
  ({ hidden, table, excluded }, { count }) => {
    const logits = tf.matMul<tf.Tensor2D>(hidden as tf.Tensor2D, table as tf.Tensor2D, false, true);
    return largest(logits, excluded!, count as number);
  },
);

/** The words that are most probable, with their logits, largest first; the caller owns both. */
export interface TopWords {
  /** Float32 [R, k]. */
  readonly logits: tf.Tensor2D;
  /** Int32 [R, k]. */
  readonly ids: tf.Tensor2D;
}

/**
 * The k words with the largest logits of each row, of equals the earlier one. Excluded words come last, in no order
 * that is told, with logits no larger than -1e8, and only where k leaves no other word. A choice has no gradient: it is
 * made where none is recorded.
 *
 * @param logits float32 [R, V]
 * @throws if k is not a whole number from 1 to V.
 * @throws if an excluded word is not within [0, V).
 */
export function topWords(logits: tf.Tensor2D, count: number, excluded: readonly number[] = []): TopWords {
  check('topWords', logits.shape[1], count, excluded);
  return choose(kernel, { logits }, count, excluded);
}

/**
 * The same from hidden states, logits h W^T, of which a fused engine keeps none (arXiv 2510.15522, section 3: the
 * support of a latent).
 *
 * @param hidden h, float32 [R, D]
 * @param table W, float32 [V, D]
 * @throws if h and W differ in width.
 * @throws if k is not a whole number from 1 to V.
 * @throws if an excluded word is not within [0, V).
 */
export function headTopWords(
  hidden: tf.Tensor2D,
  table: tf.Tensor2D,
  count: number,
  excluded: readonly number[] = [],
): TopWords {
  if (hidden.shape[1] !== table.shape[1]) {
    throw new Error(
      `headTopWords: expected a table [V, ${hidden.shape[1]}] like hidden, got [${table.shape}]`,
    );
  }
  check('headTopWords', table.shape[0], count, excluded);
  return choose(headKernel, { hidden, table }, count, excluded);
}

function choose(kernel: Kernel, inputs: NamedTensors, count: number, excluded: readonly number[]): TopWords {
  const [logits, ids] = tf.tidy(() =>
    runKernel(kernel, { ...inputs, excluded: tf.tensor1d([...excluded], 'int32') }, { count }),
  );
  return { logits: logits as tf.Tensor2D, ids: ids as tf.Tensor2D };
}

function check(caller: string, vocabulary: number, count: number, excluded: readonly number[]): void {
  if (!(Number.isInteger(count) && count >= 1 && count <= vocabulary)) {
    throw new Error(`${caller}: expected a count from 1 to ${vocabulary}, got ${count}`);
  }
  const wrong = excluded.find((word) => !(Number.isInteger(word) && word >= 0 && word < vocabulary));
  if (wrong !== undefined) {
    throw new Error(`${caller}: expected excluded words within [0, ${vocabulary}), got ${wrong}`);
  }
}
