import { type ReasoningRecord, recordsDigest } from '@latent-sft/data';
import { wilsonInterval } from '@latent-sft/metrics';
import { disposeParameters, parametersFrom, peakRssBytes } from '@latent-sft/model';
import type { Recipe } from '../recipe/recipe.js';
import { answerFlops } from './answer-flops.js';
import { type Answered, type Answerer, answerQuestions } from './answer-questions.js';
import { type AnswerStage, answererOf } from './answerer.js';
import { trainedStage, trainedWeights } from './trained-stage.js';

/** Accuracy and lengths over questions, with what is needed to check them. */
export interface EvaluationReport {
  readonly items: number;
  readonly correct: number;
  readonly passAt1: number;
  /** Wilson interval of the accuracy, 95 %. */
  readonly interval95: readonly [number, number];
  readonly meanLatents: number;
  /** Tokens of the written chain. */
  readonly meanChainTokens: number;
  readonly meanAnswerTokens: number;
  /** Wall time, model loaded, all questions in batches. */
  readonly msPerQuestion: number;
  /** Mean FLOPs of a question, prompt and steps, without the padding of a batch. */
  readonly flopsPerQuestion: number;
  /** The most memory that the process has held up to now; null where the system does not say. */
  readonly peakRssBytes: number | null;
  /** sha256 of the questions asked. */
  readonly sha256: string;
}

/** A trained stage of a run, ready to answer; the caller disposes it. */
export interface LoadedAnswerer extends Answerer {
  readonly recipe: Recipe;
  dispose(): void;
}

/**
 * Loads what a run's stage needs to answer, after checking its files against their hashes.
 *
 * @throws if the folder is no run, the stage is not finished, or a file of it is damaged.
 * @throws if the pretrained model that its adapter is of is not there, or is another one by now.
 */
export async function loadAnswerer(folder: string, stage: AnswerStage): Promise<LoadedAnswerer> {
  const trained = trainedStage(folder, stage);
  const { recipe, tokenizer } = trained;
  const { config, weights } = await trainedWeights(trained);
  const parameters = parametersFrom(weights);
  const answerer = answererOf({ recipe, config, tokenizer }, parameters, stage);
  return { ...answerer, recipe, dispose: () => disposeParameters(parameters) };
}

/**
 * Answers every question and reports accuracy with its interval, lengths and costs.
 *
 * @throws if there is no question.
 * @throws if a question holds a word outside the vocabulary.
 */
export function evaluateAnswerer(
  answerer: Answerer,
  records: readonly ReasoningRecord[],
  options: { readonly onBatch?: (answered: number) => void } = {},
): { report: EvaluationReport; answered: Answered[] } {
  if (records.length === 0) throw new Error('evaluateAnswerer: expected at least one question, got none');
  const startedAt = performance.now();
  const answered = answerQuestions(answerer, records, options);
  const ms = performance.now() - startedAt;
  const mean = (of: (one: Answered) => number) =>
    answered.reduce((sum, one) => sum + of(one), 0) / answered.length;
  const correct = answered.filter((one) => one.correct).length;
  return {
    report: {
      items: answered.length,
      correct,
      passAt1: correct / answered.length,
      interval95: wilsonInterval(correct, answered.length),
      meanLatents: mean((one) => one.generation.latentCount),
      meanChainTokens: mean((one) => one.chainTokens),
      meanAnswerTokens: mean((one) => one.answerTokens),
      msPerQuestion: ms / answered.length,
      flopsPerQuestion: mean((one) => answerFlops(answerer, one)),
      peakRssBytes: peakRssBytes(),
      sha256: recordsDigest(records),
    },
    answered,
  };
}
