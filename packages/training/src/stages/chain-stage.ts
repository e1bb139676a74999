import { exampleRows, packBatch } from '@latent-sft/data';
import type { NamedArray } from '@latent-sft/model';
import { chainLayout, type ExampleTokens, sizesOf } from '@latent-sft/segmentation';
import { answerQuestions } from '../evaluation/answer-questions.js';
import { answererOf } from '../evaluation/answerer.js';
import { exampleOrder } from '../loop/example-order.js';
import type { StageWork } from '../loop/train-stage.js';
import { TrainableVector } from '../optimiser/trainable-vector.js';
import { deviceBatch } from './device-batch.js';
import { loopSettings, type StageContext } from './stage-context.js';
import { chainLoss } from './stage-losses.js';
import { lossValue, meanLoss } from './validation.js';

/**
 * The two baselines, trained from fresh weights on question, chain and answer (CoT-SFT, which is also where
 * stage 1 starts) or on question and answer alone (No-CoT).
 */
export function chainStage(
  context: StageContext,
  stage: 'cot' | 'no-cot',
  initial: ReadonlyMap<string, NamedArray>,
): StageWork {
  const { recipe, config, train, validation, validationRecords } = context;
  const vector = new TrainableVector(initial);
  const order = exampleOrder(recipe.seed, stage, train.length, recipe.stages[stage].batch);
  const batchOf = (examples: readonly ExampleTokens[]) =>
    packBatch(
      examples.map((example) => {
        const shown = stage === 'cot' ? example : { ...example, segments: [] };
        return exampleRows(chainLayout(sizesOf(shown)), shown, { mask: 'causal', latentId: 0 });
      }),
    );
  return {
    ...loopSettings(recipe, stage),
    vector,
    prepare(step) {
      const packed = batchOf(order(step).map((index) => train[index]!));
      const batch = deviceBatch(packed, config);
      return {
        lossOf: (parameters) => chainLoss(config, parameters, batch),
        tokens: packed.tokens,
        dispose: () => batch.dispose(),
      };
    },
    validate(parameters) {
      const loss = meanLoss(validation, recipe.evaluation.batch, (part) => {
        const batch = deviceBatch(batchOf(part), config);
        const value = lossValue(() => chainLoss(config, parameters, batch));
        batch.dispose();
        return value;
      });
      const answered = answerQuestions(answererOf(context, parameters, stage), validationRecords);
      return { loss, accuracy: answered.filter(({ correct }) => correct).length / answered.length };
    },
  };
}
