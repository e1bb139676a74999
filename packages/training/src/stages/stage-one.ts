import type { NamedArray, Parameters } from '@latent-sft/model';
import { randomStream } from '@latent-sft/random';
import { gumbelNoise } from '@latent-sft/soft-embedding';
import { validationAccuracy } from '../evaluation/validation-accuracy.js';
import { exampleOrder } from '../loop/example-order.js';
import type { StageWork } from '../loop/train-stage.js';
import { TrainableVector } from '../optimiser/trainable-vector.js';
import { type DeviceBatch, deviceBatch } from './device-batch.js';
import { latentVectors } from './encode-examples.js';
import { latentHead } from './encoder-batch.js';
import { completeModel, usingModel } from './frozen-base.js';
import { inParts } from './micro-batches.js';
import { loopSettings, mixtureWords, type StageContext } from './stage-context.js';
import { stageOneLoss } from './stage-losses.js';
import { stageOneBatches } from './stage-one-batches.js';
import { joinModels, type StageOneModels, splitModels } from './stage-one-models.js';
import { encodingWork, flopsOf, stageOneFlops } from './step-flops.js';
import { trainingPass, withoutDropout } from './training-pass.js';
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
  const { recipe, config, base, train, validation } = context;
  const { batch: batchSize, microBatch } = recipe.stages[phase];
  const vector = new TrainableVector(joinModels(movingModels(phase, initial)));
  const head = latentHead(context);
  const width = mixtureWords(config, head.support);
  const order = exampleOrder(recipe.seed, phase, train.length, batchSize);
  const batchesOf = stageOneBatches(context, phase);
  const partsOf = (parameters: Parameters) => {
    const moving = splitModels(parameters);
    return { encoder: frozen.encoder ?? moving.encoder, decoder: frozen.decoder ?? moving.decoder };
  };
  return {
    ...loopSettings(recipe, phase),
    vector,
    prepare(step) {
      const examples = order(step).map((index) => train[index]!);
      const packed = batchesOf(inParts(examples, microBatch));
      const batches = packed.map((part, i) => {
        const passOf = (model: 'encoder' | 'decoder') => {
          const pass = trainingPass(recipe, `${phase}/${model}`, step, i);
          return frozen[model] ? withoutDropout(pass) : pass;
        };
        return {
          encoder: deviceBatch(part.encoder, config, passOf('encoder')),
          decoder: deviceBatch(part.decoder, config, passOf('decoder')),
        };
      });
      const stream = randomStream(recipe.seed, `${phase}/gumbel`, step);
      const latents = packed.reduce((sum, { encoder }) => sum + encoder.latentRows.length, 0);
      const noise = gumbelNoise(recipe.latent.noise, stream, latents * width);
      let drawn = 0;
      return {
        losses: batches.map((batch) => {
          const size = batch.encoder.latentWeights.size * width;
          const own = noise?.subarray(drawn, drawn + size) ?? null;
          drawn += size;
          return (parameters: Parameters) => {
            const { encoder, decoder } = partsOf(parameters);
            const models = { encoder: completeModel(base, encoder), decoder: completeModel(base, decoder) };
            return stageOneLoss(config, models, batch, head, own);
          };
        }),
        tokens: tokensOf(...packed.flatMap(({ encoder, decoder }) => [encoder, decoder])),
        flops: flopsOf(...packed.map((part) => stageOneFlops(context, phase, part))),
        dispose: () => disposeBatches(...batches.flatMap(({ encoder, decoder }) => [encoder, decoder])),
      };
    },
    validate(parameters) {
      const parts = partsOf(parameters);
      return usingModel(base, parts.encoder, (encoder) =>
        usingModel(base, parts.decoder, (decoder) => {
          const models = { encoder, decoder };
          const known = meanLoss(validation, recipe.evaluation.batch, (part) => {
            const [packed] = batchesOf([part]);
            const batch = {
              encoder: deviceBatch(packed!.encoder, config),
              decoder: deviceBatch(packed!.decoder, config),
            };
            const loss = lossValue(() => stageOneLoss(config, models, batch, head, null));
            disposeBatches(batch.encoder, batch.decoder);
            return { loss, flops: stageOneFlops(context, null, packed!).forward };
          });
          // the decoder answers from the encoder's latents: an upper bound, since these saw the written chain
          const read = validation.slice(0, context.validationRecords.length);
          const givenLatents = latentVectors(context, models, read);
          const asked = validationAccuracy(context, decoder, 'latent', givenLatents);
          const encoded = inParts(read, recipe.evaluation.batch).map((part) => encodingWork(context, part));
          const flops = encoded.reduce((sum, part) => sum + part.flops, known.flops + asked.flops);
          return { loss: known.loss, accuracy: asked.accuracy, flops };
        }),
      );
    },
  };
}

function disposeBatches(...batches: readonly DeviceBatch[]): void {
  for (const batch of batches) batch.dispose();
}

/** What moves in a phase: of the encoder all but an output table, since its states are read by the decoder's. */
function movingModels<T>(phase: StageOnePhase, models: StageOneModels<T>): Partial<StageOneModels<T>> {
  const encoder = new Map([...models.encoder].filter(([name]) => name !== 'lm_head.weight'));
  return phase === 'union' ? { ...models, encoder } : { [phase]: { ...models, encoder }[phase] };
}
