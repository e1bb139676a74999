import type { Parameters } from '@latent-sft/model';
import type { StageContext } from '../stages/stage-context.js';
import { answerFlops } from './answer-flops.js';
import { answerQuestions } from './answer-questions.js';
import { type AnswerStage, answererOf } from './answerer.js';

/**
 * The share of a run's validation questions that a model answers right, and the FLOPs of answering them.
 *
 * @param givenLatents latents to answer from in place of the model's own, a list per question
 */
export function validationAccuracy(
  context: StageContext,
  model: Parameters,
  stage: AnswerStage,
  givenLatents?: readonly (readonly Float32Array[])[],
): { readonly accuracy: number; readonly flops: number } {
  const { tuning } = context.recipe;
  const answerer = answererOf(context, model, stage);
  const answered = answerQuestions(answerer, context.validationRecords, givenLatents ? { givenLatents } : {});
  const lora = tuning.method === 'lora' ? { ...tuning, dropout: 0 } : null;
  const flops = answered.map((one) => answerFlops(answerer, one, lora));
  return {
    accuracy: answered.filter(({ correct }) => correct).length / answered.length,
    flops: flops.reduce((sum, of) => sum + of, 0),
  };
}
