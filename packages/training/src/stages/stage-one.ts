import { type Batch, exampleRows, packBatch } from '@latent-sft/data';
import type { NamedArray, Parameters } from '@latent-sft/model';
import { randomStream } from '@latent-sft/random';
import { decoderLayout, type ExampleTokens, sizesOf } from '@latent-sft/segmentation';
import { gumbelNoise } from '@latent-sft/soft-embedding';
import { answerQuestions } from '../evaluation/answer-questions.js';
import { answererOf } from '../evaluation/answerer.js';
import { exampleOrder } from '../loop/example-order.js';
import type { StageWork } from '../loop/train-stage.js';
import { TrainableVector } from '../optimiser/trainable-vector.js';
import { type DeviceBatch, deviceBatch } from './device-batch.js';
import { type LatentVectors, latentVectors } from './encode-examples.js';
import { encoderBatch, latentHead } from './encoder-batch.js';
import { loopSettings, type StageContext } from './stage-context.js';
import { stageOneLoss } from './stage-losses.js';
import { joinModels, type StageOneModels, splitModels } from './stage-one-models.js';
import { lossValue, meanLoss, tokensOf } from './validation.js';

/** The three phases of stage 1: which of the two models moves. */
export type StageOnePhase = 'encoder' | 'decoder' | 'union';

/**
 * Stage 1: the encoder compresses each segment into a latent under LTIM, and the decoder restores what follows
 * from the latents under LTSuM; the phase says which of the two learns.
 *
 * @param frozen the models that do not move in this phase, as tensors
 */
export function stageOne(
  context: StageContext,
  phase: StageOnePhase,
  initial: StageOneModels<NamedArray>,
  frozen: Partial<{ encoder: Parameters; decoder: Parameters }>,
): StageWork {
  const { recipe, config, train, validation, validationRecords } = context;
  const vector = new TrainableVector(joinModels(movingModels(phase, initial)));
  const head = latentHead(context);
  const width =
    head.support === 'full' ? config.vocabularySize : Math.min(head.support, config.vocabularySize);
  const order = exampleOrder(recipe.seed, phase, train.length, recipe.stages[phase].batch);
  const modelsOf = (parameters: Parameters) => {
    const moving = splitModels(parameters);
    return { encoder: frozen.encoder ?? moving.encoder, decoder: frozen.decoder ?? moving.decoder };
  };
  return {
    ...loopSettings(recipe, phase),
    vector,
    prepare(step) {
      const packed = stageOneBatches(
        context,
        phase,
        order(step).map((index) => train[index]!),
      );
      const encoder = deviceBatch(packed.encoder, config);
      const decoder = deviceBatch(packed.decoder, config);
      const stream = randomStream(recipe.seed, `${phase}/gumbel`, step);
      const noise = gumbelNoise(recipe.latent.noise, stream, packed.encoder.latentRows.length * width);
      return {
        lossOf: (parameters) => stageOneLoss(config, modelsOf(parameters), { encoder, decoder }, head, noise),
        tokens: tokensOf(packed.encoder, packed.decoder),
        dispose: () => disposeBatches(encoder, decoder),
      };
    },
    validate(parameters) {
      const models = modelsOf(parameters);
      const loss = meanLoss(validation, recipe.evaluation.batch, (part) => {
        const packed = stageOneBatches(context, phase, part);
        const encoder = deviceBatch(packed.encoder, config);
        const decoder = deviceBatch(packed.decoder, config);
        const value = lossValue(() => stageOneLoss(config, models, { encoder, decoder }, head, null));
        disposeBatches(encoder, decoder);
        return value;
      });
      // the decoder answers from the encoder's latents: an upper bound, since these saw the written chain
      const givenLatents: LatentVectors[] = latentVectors(context, models, validation);
      const answerer = answererOf(context, models.decoder, 'latent');
      const answered = answerQuestions(answerer, validationRecords, { givenLatents });
      return { loss, accuracy: answered.filter(({ correct }) => correct).length / answered.length };
    },
  };
}

function disposeBatches(...batches: readonly DeviceBatch[]): void {
  for (const batch of batches) batch.dispose();
}

/** The encoder's and the decoder's rows of the same examples. */
function stageOneBatches(
  context: StageContext,
  phase: StageOnePhase,
  examples: readonly ExampleTokens[],
): { encoder: Batch; decoder: Batch } {
  const { masks, stages } = context.recipe;
  const { supervision, superviseAnswer } = stages[phase];
  const tails = supervision === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
  const { segmentContext, answerSeesLastLatent, positions } = masks;
  return {
    encoder: encoderBatch(context, examples),
    decoder: packBatch(
      examples.map((example) =>
        exampleRows(decoderLayout(sizesOf(example), { tails }), example, {
          mask: masks.decoder,
          maskOptions: { segmentContext, answerSeesLastLatent },
          track: positions,
          reading: supervision,
          superviseAnswer,
          latentId: 0,
        }),
      ),
      { mean: supervision === 'token-mean' ? 'token' : 'example' },
    ),
  };
}

/** What moves in a phase: of the encoder all but an output table, since its states are read by the decoder's. */
function movingModels<T>(phase: StageOnePhase, models: StageOneModels<T>): Partial<StageOneModels<T>> {
  const encoder = new Map([...models.encoder].filter(([name]) => name !== 'lm_head.weight'));
  return phase === 'union' ? { ...models, encoder } : { [phase]: { ...models, encoder }[phase] };
}
