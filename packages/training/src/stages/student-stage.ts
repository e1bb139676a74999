import { rowsBySize } from '@latent-sft/data';
import { type LossTerm, lossTermAt, type SlotLabels } from '@latent-sft/losses';
import type { NamedArray } from '@latent-sft/model';
import { randomStream } from '@latent-sft/random';
import { type ExampleTokens, studentLayout } from '@latent-sft/segmentation';
import { perturbLabels, type SoftLabels } from '@latent-sft/soft-embedding';
import * as tf from '@tensorflow/tfjs';
import { validationAccuracy } from '../evaluation/validation-accuracy.js';
import { exampleOrder } from '../loop/example-order.js';
import type { StageWork } from '../loop/train-stage.js';
import { TrainableVector } from '../optimiser/trainable-vector.js';
import type { ExampleLabels } from '../run/label-writer.js';
import { type DeviceBatch, deviceBatch } from './device-batch.js';
import { completeModel, usingModel } from './frozen-base.js';
import { inParts, packParts } from './micro-batches.js';
import { packRows } from './pack-rows.js';
import { loopSettings, mixtureWords, type StageContext } from './stage-context.js';
import { studentLoss } from './stage-losses.js';
import { flopsOf, studentFlops } from './step-flops.js';
import { trainingPass } from './training-pass.js';
import { lossValue, meanLoss, tokensOf } from './validation.js';

/** Soft labels by example number: training rows first, then validation rows. */
export interface LabelSource {
  train(example: number): ExampleLabels;
  validation(example: number): ExampleLabels;
}

/** Stage 2: the decoder learns to say the latents itself, KL on latent slots and cross-entropy on words. */
export function studentStage(
  context: StageContext,
  initial: ReadonlyMap<string, NamedArray>,
  labels: LabelSource,
): StageWork {
  const { recipe, config, base, train, validation, tokenizer } = context;
  const {
    schedule,
    klWeight,
    ceWeight,
    klSupport,
    noise,
    batch: batchSize,
    microBatch,
  } = recipe.stages.student;
  const { temperature } = recipe.latent;
  // labels of as many words as there are name none
  const whole = mixtureWords(config, recipe.latent.support) === config.vocabularySize;
  const settings = { temperature, support: whole ? ('full' as const) : klSupport, klWeight, ceWeight };
  const vector = new TrainableVector(initial);
  const order = exampleOrder(recipe.seed, 'student', train.length, batchSize);
  const settingsOfRows = { mask: 'causal', latentId: 0 } as const;
  const withWords = rowsBySize(studentLayout, settingsOfRows);
  const withoutWords = rowsBySize(studentLayout, { ...settingsOfRows, targets: false });
  // a KL term alone reads nothing behind the latents
  const rowsOf = (example: ExampleTokens, term: LossTerm) =>
    term === 'kl' ? withoutWords(example) : withWords(example);
  // softmax(log alpha + g): the labels are at the head's temperature already
  const guardedToken = noise.guard ? tokenizer.special.end[0]! : null;
  const labelNoise = { ...noise, temperature: 1, guardedToken };

  /** Labels of one training row under noise that is drawn afresh each time the row comes. */
  const noisyLabels = (example: number, step: number, warnings: string[]): ExampleLabels => {
    const stored = labels.train(example);
    if (noise.variant === 'none') return stored;
    const width = stored.alphas.length / train[example]!.segments.length;
    const soft: SoftLabels = {
      count: train[example]!.segments.length,
      width,
      alpha: stored.alphas,
      ids: stored.ids ?? null,
    };
    const stream = (attempt: number) =>
      randomStream(recipe.seed, `student/gumbel/${example}/${attempt}`, step);
    const perturbed = perturbLabels(soft, labelNoise, stream);
    if (perturbed.guardFailed) {
      warnings.push(
        `studentStage: expected noise that keeps the end marker from leading a label, got none in 100 draws for training row ${example} at step ${step}; it is used as drawn`,
      );
    }
    return { ...stored, alphas: perturbed.labels.alpha };
  };

  return {
    ...loopSettings(recipe, 'student'),
    vector,
    prepare(step) {
      const parts = inParts(order(step), microBatch);
      const term = lossTermAt(schedule, step);
      const packed = packParts(parts.map((part) => part.map((index) => rowsOf(train[index]!, term))));
      const warnings: string[] = [];
      const labelled = packed.map((one, i) => {
        const batch = deviceBatch(one, config, trainingPass(recipe, 'student', step, i));
        const soft = parts[i]!.map((index) => noisyLabels(index, step, warnings));
        return { batch, slots: slotLabels(soft, batch) };
      });
      return {
        losses: labelled.map(
          ({ batch, slots }) =>
            (moving) =>
              studentLoss(config, completeModel(base, moving), batch, slots, term, settings),
        ),
        warnings,
        tokens: tokensOf(...packed),
        flops: flopsOf(...packed.map((part) => studentFlops(context, part, term))),
        dispose: () => {
          for (const { batch, slots } of labelled) disposeAll(batch, slots);
        },
      };
    },
    validate: (moving) =>
      usingModel(base, moving, (model) => {
        let first = 0;
        const known = meanLoss(validation, recipe.evaluation.batch, (part) => {
          const packed = packRows(part.map((example) => rowsOf(example, 'joint')));
          const batch = deviceBatch(packed, config);
          const slots = slotLabels(
            part.map((_, i) => labels.validation(first + i)),
            batch,
          );
          const loss = lossValue(() => studentLoss(config, model, batch, slots, 'joint', settings));
          disposeAll(batch, slots);
          first += part.length;
          return { loss, flops: studentFlops(context, packed, 'joint', false).forward };
        });
        const asked = validationAccuracy(context, model, 'latent');
        return { loss: known.loss, accuracy: asked.accuracy, flops: known.flops + asked.flops };
      }),
  };
}

/** The labels of a batch's examples, one after another, on the device. */
function slotLabels(labels: readonly ExampleLabels[], batch: DeviceBatch): SlotLabels {
  const slots = batch.latentWeights.size;
  const total = labels.reduce((sum, { alphas }) => sum + alphas.length, 0);
  const alpha = new Float32Array(total);
  const ids = new Int32Array(total);
  let start = 0;
  for (const label of labels) {
    alpha.set(label.alphas, start);
    if (label.ids) ids.set(label.ids, start);
    start += label.alphas.length;
  }
  const width = slots > 0 ? total / slots : 1;
  const sparse = labels.some((label) => label.ids);
  return {
    alpha: tf.tensor2d(alpha, [slots, width]),
    ids: sparse ? tf.tensor2d(ids, [slots, width], 'int32') : null,
    weights: batch.latentWeights,
  };
}

function disposeAll(batch: DeviceBatch, slots: SlotLabels): void {
  batch.dispose();
  slots.alpha.dispose();
  slots.ids?.dispose();
}
