import { rowsBySize } from '@latent-sft/data';
import type { NamedArray } from '@latent-sft/model';
import { chainLayout, type ExampleTokens } from '@latent-sft/segmentation';
import { validationAccuracy } from '../evaluation/validation-accuracy.js';
import { exampleOrder } from '../loop/example-order.js';
import type { StageWork } from '../loop/train-stage.js';
import { TrainableVector } from '../optimiser/trainable-vector.js';
import { deviceBatch } from './device-batch.js';
import { completeModel, usingModel } from './frozen-base.js';
import { inParts, packParts } from './micro-batches.js';
import { packRows } from './pack-rows.js';
import { loopSettings, type StageContext } from './stage-context.js';
import { chainLoss } from './stage-losses.js';
import { chainFlops, flopsOf } from './step-flops.js';
import { trainingPass } from './training-pass.js';
import { lossValue, meanLoss, tokensOf } from './validation.js';

/**
 * The two baselines, trained on question, chain and answer (CoT-SFT, which is also where stage 1 starts) or on
 * question and answer alone (No-CoT).
 *
 * @param initial what moves: all weights, or adapters
 */
export function chainStage(
  context: StageContext,
  stage: 'cot' | 'no-cot',
  initial: ReadonlyMap<string, NamedArray>,
): StageWork {
  const { recipe, config, base, train, validation } = context;
  const { batch: batchSize, microBatch } = recipe.stages[stage];
  const vector = new TrainableVector(initial);
  const order = exampleOrder(recipe.seed, stage, train.length, batchSize);
  const laidOut = rowsBySize(chainLayout, { mask: 'causal', latentId: 0 });
  const rowsOf = (example: ExampleTokens) =>
    laidOut(stage === 'cot' ? example : { ...example, segments: [] });
  return {
    ...loopSettings(recipe, stage),
    vector,
    prepare(step) {
      const examples = order(step).map((index) => rowsOf(train[index]!));
      const packed = packParts(inParts(examples, microBatch));
      const batches = packed.map((part, i) =>
        deviceBatch(part, config, trainingPass(recipe, stage, step, i)),
      );
      return {
        losses: batches.map((batch) => (moving) => chainLoss(config, completeModel(base, moving), batch)),
        tokens: tokensOf(...packed),
        flops: flopsOf(...packed.map((part) => chainFlops(context, part))),
        dispose: () => {
          for (const batch of batches) batch.dispose();
        },
      };
    },
    validate: (moving) =>
      usingModel(base, moving, (model) => {
        const known = meanLoss(validation, recipe.evaluation.batch, (part) => {
          const packed = packRows(part.map(rowsOf));
          const batch = deviceBatch(packed, config);
          const loss = lossValue(() => chainLoss(config, model, batch));
          batch.dispose();
          return { loss, flops: chainFlops(context, packed, false).forward };
        });
        const asked = validationAccuracy(context, model, stage);
        return { loss: known.loss, accuracy: asked.accuracy, flops: known.flops + asked.flops };
      }),
  };
}
