import type { Parameters } from '@latent-sft/model';
import type { StageContext } from '../stages/stage-context.js';
import { answerQuestions } from './answer-questions.js';
import { type AnswerStage, answererOf } from './answerer.js';

/**
 * The share of a run's validation questions that a model answers right.
 *
 * @param givenLatents latents to answer from in place of the model's own, a list per question
 */
export function validationAccuracy(
  context: StageContext,
  model: Parameters,
  stage: AnswerStage,
  givenLatents?: readonly (readonly Float32Array[])[],
): number {
  const answered = answerQuestions(
    answererOf(context, model, stage),
    context.validationRecords,
    givenLatents ? { givenLatents } : {},
  );
  return answered.filter(({ correct }) => correct).length / answered.length;
}
