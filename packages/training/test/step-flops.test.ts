import {
  type ExampleRows,
  exampleRows,
  modularArithmetic,
  neededRows,
  type RowSettings,
  tokenizeRecord,
  wordTokenizer,
} from '@latent-sft/data';
import {
  initialLora,
  initialWeights,
  LORA_TARGETS,
  type NamedArray,
  parametersFrom,
  visiblePairs,
} from '@latent-sft/model';
import {
  chainLayout,
  decoderLayout,
  type ExampleTokens,
  encoderLayout,
  type Layout,
  sizesOf,
  studentLayout,
} from '@latent-sft/segmentation';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  chainStage,
  freshModelConfig,
  parseRecipe,
  type RecipeInput,
  type StageContext,
  type StageOnePhase,
  type StageWork,
  softLabels,
  stageOne,
  studentStage,
} from '../src/index.js';
import { completeModel } from '../src/stages/frozen-base.js';
import { encodingWork } from '../src/stages/step-flops.js';
import { countedProducts } from './counted-products.js';
import { tinyRecipe } from './tiny-recipe.js';

const task = modularArithmetic({ operations: 2 });
const tokenizer = wordTokenizer(task.vocabulary);
const records = task.generate(6, 3);
const config = freshModelConfig(
  // of two layers, so that a layer stands on another
  { ...freshOf(parseRecipe(tinyRecipe).model), layers: 2 },
  tokenizer.vocabulary.length,
);

function freshOf<T extends { readonly source: string }>(model: T): Extract<T, { source: 'fresh' }> {
  return model as Extract<T, { source: 'fresh' }>;
}

/** A run whose every step sees all six examples. */
function contextOf(changes: Partial<RecipeInput> = {}): StageContext {
  const recipe = parseRecipe({ ...tinyRecipe, ...changes });
  for (const stage of Object.values(recipe.stages)) Object.assign(stage, { batch: records.length });
  const train = records.map((record) => tokenizeRecord(record, tokenizer, recipe.segmenter));
  const base =
    recipe.tuning.method === 'lora'
      ? { parameters: parametersFrom(initialWeights(config, 1, { deviation: 0.1 })), scale: tf.scalar(1) }
      : null;
  return { recipe, config, tokenizer, base, train, validation: train, validationRecords: records };
}

/** What moves of one model. */
function movingOf({ recipe }: StageContext, seed: number): Map<string, NamedArray> {
  return recipe.tuning.method === 'lora'
    ? initialLora(config, recipe.tuning, seed, 'moving')
    : initialWeights(config, seed, { deviation: 0.1 });
}

function modelsOf(context: StageContext) {
  const query = { shape: [1, config.width], data: new Float32Array(config.width).fill(0.1) };
  const encoder = movingOf(context, 2);
  if (context.base) encoder.set('latent_query.weight', query);
  return { encoder, decoder: movingOf(context, 3) };
}

function stageOneOf(context: StageContext, phase: StageOnePhase): StageWork {
  const models = modelsOf(context);
  const still = phase === 'encoder' ? 'decoder' : 'encoder';
  return stageOne(
    context,
    phase,
    models,
    phase === 'union' ? {} : { [still]: parametersFrom(models[still]) },
  );
}

function studentOf(context: StageContext): StageWork {
  const models = modelsOf(context);
  const whole = {
    encoder: completeModel(context.base, parametersFrom(models.encoder)),
    decoder: completeModel(context.base, parametersFrom(models.decoder)),
  };
  const labels = softLabels(context, whole, context.train);
  const of = (example: number) => labels[example]!;
  return studentStage(context, models.decoder, { train: of, validation: of });
}

/** The rows of an example that a loss reads. */
type ReadRows = (rows: ExampleRows) => readonly number[];
const targets: ReadRows = (rows) => rows.targets.map(({ row }) => row);
const latents: ReadRows = (rows) => rows.latentRows;

/**
 * FLOPs of attention over the pairs that a mask shows, in the last layer of the rows that are read: q k^T and the
 * weights times v, and their gradients.
 */
function attention(
  { recipe, train }: StageContext,
  layoutOf: (example: ExampleTokens) => Layout,
  settings: Partial<RowSettings>,
  read: ReadRows,
  gradients: boolean,
): number {
  const { segmentContext, answerSeesLastLatent } = recipe.masks;
  const maskOptions = { segmentContext, answerSeesLastLatent };
  const pairs = train.reduce((sum, example) => {
    const all = exampleRows(layoutOf(example), example, {
      ...{ mask: 'causal', maskOptions, latentId: 0 },
      ...settings,
    });
    const rows = neededRows({ ...all, targets: all.targets.filter(({ row }) => read(all).includes(row)) });
    return sum + visiblePairs(rows.ranges) * (config.layers - 1) + visiblePairs(rows.ranges, read(rows));
  }, 0);
  const product = 2 * pairs * config.heads * config.headWidth;
  return product * (gradients ? 2 + 4 + (recipe.checkpointing ? 2 : 0) : 2);
}

/** What the loop is told of a step, and what the step's products and its attention add up to. */
async function told(work: StageWork, step: number, ofAttention: number) {
  const prepared = work.prepare(step);
  const products = await countedProducts(() => {
    work.vector.descend(prepared.losses, 1, 1e-3, work.optimiser);
  });
  prepared.dispose();
  return { told: prepared.flops, found: products + ofAttention };
}

const lora = { method: 'lora' as const, rank: 2, alpha: 4 };
const everywhere = { ...lora, targets: [...LORA_TARGETS] };
const pretrained = { source: 'pretrained', from: 'unread' } as const;
const settings: readonly (readonly [string, Partial<RecipeInput>])[] = [
  ['all weights', {}],
  ['all weights, latents of three words', { latent: { support: 3 } }],
  ['all weights, layers computed again', { checkpointing: true }],
  ['adapters', { model: pretrained, tuning: lora }],
  ['adapters, latents of three words', { model: pretrained, tuning: lora, latent: { support: 3 } }],
  ['adapters with dropout', { model: pretrained, tuning: { ...lora, dropout: 0.3 }, checkpointing: true }],
  ['adapters, on the table too', { model: pretrained, tuning: everywhere }],
];

const chain = (example: ExampleTokens) => chainLayout(sizesOf(example));
const student = (example: ExampleTokens) => studentLayout(sizesOf(example));
const encoder = (example: ExampleTokens) => encoderLayout(sizesOf(example));
const decoder = (example: ExampleTokens) => decoderLayout(sizesOf(example), { tails: 'next-segment' });

describe.each(settings)('FLOPs of a step that trains %s', (_title, changes) => {
  const context = () => contextOf(changes);
  beforeAll(async () => {
    await selectEngine('cpu');
  });

  it('are those of its products: chains', async () => {
    const run = context();
    const { told: flops, found } = await told(
      chainStage(run, 'cot', movingOf(run, 2)),
      0,
      attention(run, chain, {}, targets, true),
    );
    expect(flops).toBe(found);
  });

  it.each(['encoder', 'decoder', 'union'] as const)(
    'are those of its products: stage 1, %s',
    async (phase) => {
      const run = context();
      const { supervision: reading, superviseAnswer } = run.recipe.stages[phase];
      const ofAttention =
        attention(run, encoder, { mask: run.recipe.masks.encoder }, latents, phase !== 'decoder') +
        attention(run, decoder, { mask: run.recipe.masks.decoder, reading, superviseAnswer }, targets, true);
      const { told: flops, found } = await told(stageOneOf(run, phase), 0, ofAttention);
      expect(flops).toBe(found);
    },
  );

  it('are those of its products: stage 2, by what a step descends', async () => {
    const run = context();
    Object.assign(run.recipe.stages.student, { schedule: ['kl', 'ce', 'joint'] });
    const said: readonly ReadRows[] = [
      (rows) => rows.beforeLatents,
      targets,
      (rows) => [...rows.beforeLatents, ...targets(rows)],
    ];
    const slots = run.train.reduce((sum, { segments }) => sum + segments.length, 0);
    // the gradient of a table that a few words were read from is a sum, not a product
    const sums = run.recipe.latent.support === 'full' || run.base ? 0 : 2 * slots * 3 * config.width;
    for (const step of [0, 1, 2]) {
      const { told: flops, found } = await told(
        studentOf(run),
        step,
        attention(run, student, {}, said[step]!, true),
      );
      expect(flops).toBe(found + sums);
    }
  });

  it('are those of its products: labels', async () => {
    const run = context();
    const models = modelsOf(run);
    const parts = { encoder: parametersFrom(models.encoder), decoder: parametersFrom(models.decoder) };
    const table = (await countedProducts(() => {
      completeModel(run.base, parts.encoder);
    })) as number;
    const whole = {
      encoder: completeModel(run.base, parts.encoder),
      decoder: completeModel(run.base, parts.decoder),
    };
    const products = await countedProducts(() => {
      softLabels(run, whole, run.train);
    });
    const { flops } = encodingWork(run, run.train);
    expect(flops).toBe(
      table + products + attention(run, encoder, { mask: run.recipe.masks.encoder }, latents, false),
    );
  });
});

describe('FLOPs of a step', () => {
  beforeAll(async () => {
    await selectEngine('cpu');
  });

  it('are those of its products, in parts of a batch too', async () => {
    const run = contextOf();
    Object.assign(run.recipe.stages['no-cot'], { microBatch: 4 });
    const short = { ...run, train: run.train.map((example) => ({ ...example, segments: [] })) };
    const { told: flops, found } = await told(
      chainStage(run, 'no-cot', movingOf(run, 2)),
      0,
      attention(short, chain, {}, targets, true),
    );
    expect(flops).toBe(found);
  });
});
