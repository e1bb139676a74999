import { z } from 'zod';
import { count, notNegative, positive } from './fields.js';
import { noiseVariant } from './method-settings.js';

const stageFields = {
  /** 0 leaves the stage out. */
  steps: z.int().min(0).default(0),
  learningRate: positive.default(1e-3),
  batch: count.default(64),
  /** Examples computed at once, where a batch does not fit in memory; gradients of the parts are summed. */
  microBatch: count.optional(),
  validateEvery: count.default(100),
  checkpointEvery: count.default(100),
};
const byAccuracy = { selectBy: z.enum(['loss', 'accuracy']).default('accuracy') };
const byLoss = { selectBy: z.enum(['loss', 'accuracy']).default('loss') };
const chainStage = z.strictObject({ ...stageFields, ...byAccuracy });
const stageOne = z.strictObject({
  ...stageFields,
  ...byLoss,
  supervision: z.enum(['token-mean', 'suffix-mean', 'strict-suffix', 'chunk-mean']).default('token-mean'),
  superviseAnswer: z.boolean().default(true),
});
const term = z.enum(['kl', 'ce', 'joint']);
const student = z.strictObject({
  ...stageFields,
  ...byAccuracy,
  schedule: z.union([z.literal('joint'), z.array(term).min(1)]).default(['kl', 'ce']),
  klWeight: notNegative.default(1),
  ceWeight: notNegative.default(1),
  klSupport: z.enum(['full', 'sparse', 'sparse+tail']).default('full'),
  /** Noise on the soft labels, drawn afresh each time an example comes. */
  noise: z
    .strictObject({
      variant: noiseVariant.default('none'),
      scale: notNegative.default(1),
      /** Whether noise is drawn again while it would let the end marker lead a label. */
      guard: z.boolean().default(true),
    })
    .prefault({}),
});

/** Every stage that trains. */
export const stagesSettings = z.strictObject({
  'no-cot': chainStage.prefault({}),
  cot: chainStage.prefault({}),
  encoder: stageOne.prefault({}),
  decoder: stageOne.prefault({}),
  union: stageOne.prefault({}),
  student: student.prefault({}),
});

/** The names of the stages that train, in the order in which they run. */
export const TRAINING_STAGES = ['no-cot', 'cot', 'encoder', 'decoder', 'union', 'student'] as const;

/** A stage that trains. */
export type TrainingStage = (typeof TRAINING_STAGES)[number];
