import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReasoningRecord, recordsDigest, type Tokenizer, tokenizerFromJSON } from '@latent-sft/data';
import { wilsonInterval } from '@latent-sft/metrics';
import { disposeParameters, parametersFrom } from '@latent-sft/model';
import { loadWhole } from '../pipeline/load-whole.js';
import { parseRecipe, type Recipe } from '../recipe/recipe.js';
import { verifyManifest } from '../run/manifest.js';
import { readRecipe } from '../run/run-folder.js';
import { stageFolder, stageStatus } from '../run/stage.js';
import { type Answered, type Answerer, answerQuestions } from './answer-questions.js';
import { type AnswerStage, answererOf } from './answerer.js';

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
  /** sha256 of the questions asked. */
  readonly sha256: string;
}

const FOLDERS: Readonly<Record<AnswerStage, string>> = { 'no-cot': 'no-cot', cot: 'cot', latent: 'student' };

/** A trained stage of a run, ready to answer; the caller disposes it. */
export interface LoadedAnswerer extends Answerer {
  readonly recipe: Recipe;
  dispose(): void;
}

/**
 * The recipe of a run.
 *
 * @throws if the folder is no run, or its recipe is damaged.
 */
export function readRunRecipe(folder: string): Recipe {
  return parseRecipe(readRecipe(folder), `recipe of ${folder}`);
}

/**
 * Loads what a run's stage needs to answer, after checking its files against their hashes.
 *
 * @throws if the folder is no run, the stage is not finished, or a file of it is damaged.
 * @throws if the pretrained model that its adapter is of is not there, or is another one by now.
 */
export async function loadAnswerer(folder: string, stage: AnswerStage): Promise<LoadedAnswerer> {
  const recipe = readRunRecipe(folder);
  const name = FOLDERS[stage];
  const status = stageStatus(folder, name);
  if (status !== 'finished') {
    throw new Error(`loadAnswerer: expected stage ${name} of ${folder} to be finished, got ${status}`);
  }
  verifyManifest(stageFolder(folder, name));
  const tokenizer = readTokenizer(folder);
  const { config, weights } = await loadWhole(recipe, stageFolder(folder, name));
  const parameters = parametersFrom(weights);
  const answerer = answererOf({ recipe, config, tokenizer }, parameters, stage);
  return { ...answerer, recipe, dispose: () => disposeParameters(parameters) };
}

function readTokenizer(folder: string): Tokenizer {
  const file = join(folder, 'tokenizer.json');
  try {
    return tokenizerFromJSON(JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (error) {
    throw new Error(`loadAnswerer: expected a tokenizer in ${file}, got: ${(error as Error).message}`);
  }
}

/**
 * Answers every question and reports accuracy with its interval, lengths and time.
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
      sha256: recordsDigest(records),
    },
    answered,
  };
}
