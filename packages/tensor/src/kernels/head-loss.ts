import * as tf from '@tensorflow/tfjs';
import { defineKernel, type Kernel, type NamedTensors, runKernel } from '../kernel.js';
import { isRecorded, mayHaveGradient } from '../recording.js';
import { crossEntropyAndSlope } from './cross-entropy.js';
import { sparseKlAndSlope } from './soft-label-kl.js';

/** Losses [R] and slopes [R, V] of logits. */
type LossOfLogits = (
  logits: tf.Tensor,
  inputs: NamedTensors,
  attributes: Readonly<Record<string, number | boolean>>,
) => tf.Tensor[];

const times = (x: tf.Tensor, factor: number) => (factor === 1 ? x : tf.mul(x, factor));

/** Logits, 16 MB of them, that are kept for the gradient of a table: more are made a second time. */
const MOST_KEPT = 1 << 22;

/**
 * A loss of logits = scale * hidden table^T. Its three outputs beside the loss are what the backward pass needs, in the
 * form of the implementation: here the slope in the logits and nothing else, fused the slope in `hidden`, what a gradient
 * of the table must know of each row, and few logits. Where no backward pass can come, as in validation, they are empty.
 */
function headKernel(name: string, labels: readonly string[], loss: LossOfLogits): Kernel {
  return defineKernel({
    name,
    inputs: ['hidden', 'table', ...labels],
    outputs: 4,
    saved: { inputs: ['hidden', 'table', labels[0]!], outputs: [1, 2, 3] },
    composition: {
      forward: (inputs, attributes) => {
        const { hidden, table } = inputs as Readonly<Record<string, tf.Tensor2D>>;
        const logits = tf.matMul(hidden!, table!, false, true);
        const made = loss(times(logits, attributes.scale as number), inputs, attributes);
        return [made[0]!, attributes.slopes ? made[1]! : tf.tensor1d([]), tf.tensor1d([]), tf.tensor1d([])];
      },
      backward: ({ outputGradients: [dy], inputs, outputs: [, slope], attributes }) => {
        const { hidden, table } = inputs as Readonly<Record<string, tf.Tensor2D>>;
        const dLogits = () =>
          times(tf.mul(slope!, tf.expandDims(dy!, 1)), attributes.scale as number) as tf.Tensor2D;
        return {
          hidden: () => tf.matMul(dLogits(), table!),
          table: () => tf.matMul(dLogits(), hidden!, true, false),
        };
      },
    },
  });
}

const crossEntropyKernel = headKernel('LatentHeadCrossEntropy', ['targets'], (logits, { targets }) =>
  crossEntropyAndSlope(logits, targets!),
);

const sparseKlKernel = headKernel(
  'LatentHeadSparseKl',
  ['ids', 'probabilities'],
  (logits, { ids, probabilities }, { tail }) =>
    sparseKlAndSlope(logits, ids!, probabilities!, tail as boolean),
);

/**
 * Negative log-likelihood of each row's target in nats, -log softmax(h W^T)[target]: `crossEntropy` of the head's logits,
 * which are not kept where they are many.
 *
 * @param hidden h, float32 [R, D]
 * @param table W, float32 [V, D]
 * @param targets int32 [R], each within [0, V)
 * @returns float32 [R]
 * @throws if the states are not as wide as the table.
 * @throws if targets does not hold one id per row of states.
 */
export function headCrossEntropy(hidden: tf.Tensor2D, table: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  checkWidth('headCrossEntropy', hidden, table);
  if (targets.size !== hidden.shape[0]) {
    throw new Error(
      `headCrossEntropy: expected ${hidden.shape[0]} targets for hidden [${hidden.shape}], got ${targets.size}`,
    );
  }
  return lossOf(
    runKernel(crossEntropyKernel, { hidden, table, targets }, { scale: 1, ...needs(hidden, table) }),
  );
}

/**
 * Forward KL of a top-k teacher to the student's softmax(h W^T / tau), in nats: `sparseKl` of the head's
 * logits, which are not kept where they are many.
 *
 * @param hidden h, float32 [R, D]
 * @param table W, float32 [V, D]
 * @param ids the teacher's tokens, int32 [R, k], distinct in a row
 * @param probabilities float32 [R, k], above 0
 * @returns float32 [R]
 * @throws if the states are not as wide as the table.
 * @throws if ids and probabilities are not both [R, k].
 */
export function headSparseKl(
  hidden: tf.Tensor2D,
  table: tf.Tensor2D,
  ids: tf.Tensor2D,
  probabilities: tf.Tensor2D,
  options: { readonly tail?: boolean; readonly temperature?: number } = {},
): tf.Tensor1D {
  checkWidth('headSparseKl', hidden, table);
  if (ids.shape[0] !== hidden.shape[0] || String(ids.shape) !== String(probabilities.shape)) {
    throw new Error(
      `headSparseKl: expected ids and probabilities [${hidden.shape[0]}, k], got [${ids.shape}] and [${probabilities.shape}]`,
    );
  }
  const attributes = {
    tail: options.tail ?? false,
    scale: 1 / (options.temperature ?? 1),
    ...needs(hidden, table),
  };
  return lossOf(runKernel(sparseKlKernel, { hidden, table, ids, probabilities }, attributes));
}

/** What a backward pass may read, beyond a state of each row. */
function needs(
  hidden: tf.Tensor2D,
  table: tf.Tensor2D,
): { readonly slopes: boolean; readonly keeps: boolean } {
  const few = hidden.shape[0] * table.shape[0] <= MOST_KEPT;
  return { slopes: isRecorded(), keeps: few && mayHaveGradient(table) };
}

function checkWidth(caller: string, hidden: tf.Tensor2D, table: tf.Tensor2D): void {
  if (hidden.shape[1] !== table.shape[1]) {
    throw new Error(
      `${caller}: expected hidden [R, ${table.shape[1]}] like table [${table.shape}], got [${hidden.shape}]`,
    );
  }
}

function lossOf([loss, ...kept]: tf.Tensor[]): tf.Tensor1D {
  tf.dispose(kept);
  return loss as tf.Tensor1D;
}
