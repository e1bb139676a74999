import { modularArithmetic, tokenizeRecord, wordTokenizer } from '@latent-sft/data';
import {
  disposeParameters,
  initialWeights,
  type NamedArray,
  type Parameters,
  parametersFrom,
} from '@latent-sft/model';
import {
  type ExampleLabels,
  freshModelConfig,
  parseRecipe,
  type RecipeInput,
  type StageContext,
  type StageOnePhase,
  type StageWork,
  type StepReport,
  softLabels,
  stageOne,
  studentStage,
} from '../../src/index.js';

/** Questions with chains of 4 to 8 tokens. */
const task = modularArithmetic({ operations: [2, 4] });
export const tokenizer = wordTokenizer(task.vocabulary);
export const END = tokenizer.special.end[0]!;
const records = task.generate(4, 1);

/** A run on a model of one layer whose steps see all four examples, with some settings changed. */
export function contextOf(changes: Partial<RecipeInput> = {}): StageContext {
  const { model, stages, ...others } = changes;
  const batch = { batch: records.length, steps: 4 };
  const named = ['no-cot', 'cot', 'encoder', 'decoder', 'union', 'student'] as const;
  const recipe = parseRecipe({
    name: 'options',
    seed: 3,
    data: { source: 'modular-arithmetic', operations: [2, 4] },
    model: { width: 16, layers: 1, heads: 2, keyValueHeads: 1, feedForwardWidth: 24, ...model },
    stages: Object.fromEntries(named.map((stage) => [stage, { ...batch, ...stages?.[stage] }])),
    evaluation: { maxTokens: 6, batch: 8 },
    ...others,
  });
  if (recipe.model.source !== 'fresh') throw new Error('contextOf: expected a fresh model');
  const train = records.map((record) => tokenizeRecord(record, tokenizer, recipe.segmenter));
  return {
    recipe,
    config: freshModelConfig(recipe.model, tokenizer.vocabulary.length),
    tokenizer,
    base: null,
    train,
    validation: train,
    validationRecords: records,
  };
}

/** Encoder and decoder that have learnt nothing, of weights large enough that every part of them matters. */
export function weightsOf({ config }: StageContext) {
  const [encoder, decoder] = [1, 2].map((seed) => initialWeights(config, seed, { deviation: 0.3 }));
  return { encoder: encoder!, decoder: decoder! };
}

/** Uses encoder and decoder on the device. */
export function withModels<T>(
  context: StageContext,
  use: (models: { encoder: Parameters; decoder: Parameters }) => T,
): T {
  const { encoder, decoder } = weightsOf(context);
  const models = { encoder: parametersFrom(encoder), decoder: parametersFrom(decoder) };
  try {
    return use(models);
  } finally {
    disposeParameters(models.encoder);
    disposeParameters(models.decoder);
  }
}

/** The soft labels of all examples. */
export function labelsOf(context: StageContext): ExampleLabels[] {
  return withModels(context, (models) => softLabels(context, models, context.train));
}

/** Takes steps of a stage from the first one on; the weights after them, and what each step saw. */
export function descend(
  work: StageWork,
  steps = 1,
): { reports: StepReport[]; weights: Map<string, NamedArray> } {
  const reports = Array.from({ length: steps }, (_, step) => {
    const prepared = work.prepare(step);
    const report = work.vector.descend(prepared.losses, step + 1, 1e-2, work.optimiser);
    prepared.dispose();
    return report;
  });
  const weights = work.vector.arrays();
  work.vector.dispose();
  return { reports, weights };
}

/** Stage 1 with both models moving, or one. */
export function stageOneWork(context: StageContext, phase: StageOnePhase = 'union'): StageWork {
  return stageOne(context, phase, weightsOf(context), {});
}

/** The loss of the first step of stage 1. */
export function stageOneLoss(context: StageContext): number {
  return descend(stageOneWork(context)).reports[0]!.loss;
}

/** Stage 2 on given labels. */
export function studentWork(context: StageContext, labels: readonly ExampleLabels[]): StageWork {
  const source = (example: number) => labels[example]!;
  return studentStage(context, weightsOf(context).decoder, { train: source, validation: source });
}

/** What the first step of stage 2 sees. */
export function studentReport(context: StageContext, labels: readonly ExampleLabels[]): StepReport {
  return descend(studentWork(context, labels)).reports[0]!;
}

/** Expects numbers that differ from each other by more than rounding. */
export function allDiffer(values: readonly number[]): boolean {
  return values.every((a, i) => values.slice(0, i).every((b) => Math.abs(a - b) > 1e-5 * Math.abs(a)));
}
