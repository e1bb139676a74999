import type { ReasoningRecord } from '@latent-sft/data';
import {
  FAITHFULNESS_ARMS,
  type FaithfulnessArmName,
  type Interval,
  wilsonInterval,
} from '@latent-sft/metrics';
import { type Answerer, answerQuestions } from './answer-questions.js';

/** Accuracy with the latents replaced in one way. */
export interface ArmReport {
  readonly arm: FaithfulnessArmName;
  /** What the accuracy under this arm tells. */
  readonly asks: string;
  readonly items: number;
  readonly correct: number;
  readonly passAt1: number;
  readonly interval95: Interval;
}

/**
 * Does the latent phase do the work? The model thinks once about every question; then it must answer from its own
 * latents, from the same in another order, from those of another question, from their average, from zeros, and from
 * none at all.
 *
 * @param seed of the shuffles
 * @throws if there are fewer than two questions.
 */
export function measureFaithfulness(
  answerer: Answerer,
  records: readonly ReasoningRecord[],
  seed: number,
): ArmReport[] {
  if (records.length < 2) {
    throw new Error(`measureFaithfulness: expected at least two questions, got ${records.length}`);
  }
  const own = answerQuestions(answerer, records, { traceVectors: true }).map(({ generation }) =>
    generation.latents.map(({ vector }) => vector!),
  );
  return FAITHFULNESS_ARMS.map(({ name, asks, apply }) => {
    const givenLatents = apply(own, seed).map((latents) =>
      latents.map((latent) => Float32Array.from(latent)),
    );
    const answered = answerQuestions(answerer, records, { givenLatents });
    const correct = answered.filter((one) => one.correct).length;
    return {
      arm: name,
      asks,
      items: records.length,
      correct,
      passAt1: correct / records.length,
      interval95: wilsonInterval(correct, records.length),
    };
  });
}
