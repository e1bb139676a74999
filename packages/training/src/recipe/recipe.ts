import { z } from 'zod';
import { describeIssue } from './describe-issue.js';

const count = z.int().min(1);
const share = z.number().min(0).max(1);
const positive = z.number().positive();

const sizes = { train: count.default(20_000), validation: count.default(500), test: count.default(500) };

/** Where questions come from: a built-in task with its seed, or files. */
const data = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('modular-arithmetic'),
    form: z.enum(['pair', 'separate']).default('pair'),
    operations: z.union([count, z.tuple([count, count])]).default(6),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('variable-chains'),
    variables: z.union([count, z.tuple([count, count])]).default(4),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('reachability'),
    /** Share of training rows that show only some of their facts; validation and test always show all. */
    thinned: share.default(0),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('files'),
    format: z.enum(['jsonl', 'prosqa', 'gsm8k-aug']),
    train: z.string(),
    /** A file, or how many training rows to hold out. */
    validation: z.union([z.string(), count]).default(500),
    test: z.string().optional(),
    emptyChain: z.enum(['keep', 'error', 'drop']).default('error'),
  }),
]);

const model = z.strictObject({
  width: count.default(64),
  layers: count.default(3),
  heads: count.default(4),
  keyValueHeads: count.optional(),
  feedForwardWidth: count.default(160),
  ropeBase: positive.default(1000),
  normEpsilon: positive.default(1e-5),
  tiedEmbeddings: z.boolean().default(true),
  /** Standard deviation of fresh weights; about 0.64 / sqrt(width) learns, 0.02 does not at these sizes. */
  initialDeviation: positive.default(0.08),
  /** The input table's, if it is another one. */
  embeddingDeviation: positive.optional(),
  /** Whether blocks start small beside the residual stream, as in GPT-2. */
  scaledResiduals: z.boolean().default(false),
});

const segmenter = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('rate'), rate: count }),
  z.strictObject({ by: z.enum(['step', 'line', 'equation', 'sentence']) }),
]);

const noise = z.strictObject({
  variant: z.enum(['none', 'plain', 'clamped', 'one-sided']).default('none'),
  scale: z.number().min(0).default(1),
});

const latent = z.strictObject({
  support: z.union([z.literal('full'), count]).default('full'),
  temperature: positive.default(2),
  readout: z.enum(['input-table', 'lm-head']).default('lm-head'),
  /** Noise in the head while stage 1 trains. */
  noise: noise.prefault({ variant: 'plain', scale: 0.5 }),
  maxLatents: count.default(64),
  /** Whether a mixture may hold the end marker, as in the paper; students then tend to stop early. */
  endMarkerInMixtures: z.boolean().default(false),
});

const masks = z.strictObject({
  encoder: z.enum(['ltim', 'causal']).default('ltim'),
  decoder: z.enum(['ltsum', 'causal']).default('ltsum'),
  segmentContext: z.enum(['latent', 'latent+prompt', 'latent+bos']).default('latent'),
  answerSeesLastLatent: z.boolean().default(true),
  positions: z.enum(['dual', 'single']).default('dual'),
});

const optimiser = z.strictObject({
  beta1: share.default(0.9),
  beta2: share.default(0.98),
  epsilon: positive.default(1e-8),
  weightDecay: z.number().min(0).default(0.01),
  clip: positive.default(1),
  warmup: share.default(0.05),
  final: share.default(0.05),
  shape: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
});

const stageFields = {
  /** 0 leaves the stage out. */
  steps: z.int().min(0).default(0),
  learningRate: positive.default(1e-3),
  batch: count.default(64),
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
  klWeight: z.number().min(0).default(1),
  ceWeight: z.number().min(0).default(1),
  klSupport: z.enum(['full', 'sparse', 'sparse+tail']).default('full'),
  /** Noise on the soft labels, drawn afresh each time an example comes. */
  noise: noise.prefault({}),
});

const recipeSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected letters, digits, dots and dashes'),
  seed: z.int().min(0).max(0xffffffff).default(0),
  data,
  tokenizer: z.enum(['words', 'characters']).default('words'),
  model: model.prefault({}),
  segmenter: segmenter.prefault({ by: 'rate', rate: 2 }),
  latent: latent.prefault({}),
  masks: masks.prefault({}),
  optimiser: optimiser.prefault({}),
  stages: z
    .strictObject({
      'no-cot': chainStage.prefault({}),
      cot: chainStage.prefault({}),
      encoder: stageOne.prefault({}),
      decoder: stageOne.prefault({}),
      union: stageOne.prefault({}),
      student: student.prefault({}),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      /** Validation questions answered each time a stage is validated. */
      validationItems: count.default(200),
      maxTokens: count.default(128),
      batch: count.default(512),
    })
    .prefault({}),
});

/** Everything that decides a run, every default written out. */
export type Recipe = z.output<typeof recipeSchema>;

/** A recipe as a person writes it: only what differs from the defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;

/** The names of the stages that train, in the order in which they run. */
export const TRAINING_STAGES = ['no-cot', 'cot', 'encoder', 'decoder', 'union', 'student'] as const;

/** A stage that trains. */
export type TrainingStage = (typeof TRAINING_STAGES)[number];

/**
 * Checks a recipe and writes every default out.
 *
 * @param source where it came from, for the message
 * @throws if a key is unknown, naming the nearest known one, or a value is not what its key expects.
 * @throws if settings contradict each other.
 */
export function parseRecipe(value: unknown, source = 'recipe'): Recipe {
  const result = recipeSchema.safeParse(value);
  if (!result.success)
    throw new Error(`parseRecipe: ${source}: ${describeIssue(recipeSchema, result.error, value)}`);
  checkRecipe(result.data, source);
  return result.data;
}

/** The JSON Schema of a recipe, for editors. */
export function recipeJsonSchema(): unknown {
  return z.toJSONSchema(recipeSchema, { io: 'input' });
}

function checkRecipe({ model, latent, stages }: Recipe, source: string): void {
  const fail = (sentence: string) => {
    throw new Error(`parseRecipe: ${source}: ${sentence}`);
  };
  if (model.width % model.heads !== 0) {
    fail(`expected model.width to be a multiple of model.heads, got ${model.width} and ${model.heads}`);
  }
  if (model.heads % (model.keyValueHeads ?? model.heads) !== 0) {
    fail(
      `expected model.heads to be a multiple of model.keyValueHeads, got ${model.heads} and ${model.keyValueHeads}`,
    );
  }
  if ((model.width / model.heads) % 2 !== 0) {
    fail(`expected an even head width for rotary positions, got ${model.width / model.heads}`);
  }
  if ((latent.support === 'full') !== (stages.student.klSupport === 'full')) {
    fail(
      `expected stages.student.klSupport full with latent.support full, and sparse with a number, ` +
        `got ${stages.student.klSupport} with ${latent.support}`,
    );
  }
  const stageOneSteps = stages.encoder.steps + stages.decoder.steps + stages.union.steps;
  if (stageOneSteps > 0 && stages.cot.steps === 0) {
    fail('expected stages.cot.steps above 0, since encoder and decoder start from the CoT model, got 0');
  }
  if (stages.student.steps > 0 && stageOneSteps === 0) {
    fail('expected steps in stages.encoder, decoder or union before stages.student, got 0 in all three');
  }
}
