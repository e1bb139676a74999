import type * as tf from '@tensorflow/tfjs';

/** Words from which making logits a second time, for the gradient of their table, costs less than keeping them. */
const LARGE_VOCABULARY = 4096;

/** Whether losses of a table [V, D] keep their logits: those of few words are small, and their products cheap. */
export function keepsLogits(table: tf.Tensor2D): boolean {
  return table.shape[0] < LARGE_VOCABULARY;
}
