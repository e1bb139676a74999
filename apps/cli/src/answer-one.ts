import type { ReasoningRecord } from '@latent-sft/data';
import type { LatentStop, Sampling } from '@latent-sft/model';
import { answerQuestions, inTrainedForm, type LoadedAnswerer } from '@latent-sft/training';
import { drawLatents, type LatentWords, latentWords } from './output/latents.js';

/** One answered question in words. */
export interface AnswerInWords {
  readonly question: string;
  readonly latents: readonly LatentWords[];
  readonly latentStop: LatentStop;
  /** The written chain; empty without one. */
  readonly chain: string;
  readonly answer: string;
}

/**
 * Answers one question and puts everything in words.
 *
 * @throws if the question holds a word outside the vocabulary.
 */
export function answerOne(
  answerer: LoadedAnswerer,
  question: string,
  { sampling, words }: { readonly sampling: Sampling; readonly words: number },
): AnswerInWords {
  const record = recordOf(answerer, question);
  const [answered] = answerQuestions(answerer, [record], { traceSize: words, sampling });
  const { answer, chainTokens, generation } = answered!;
  return {
    question: record.question,
    latents: latentWords(generation.latents, answerer.tokenizer),
    latentStop: generation.latentStop,
    chain: answerer.tokenizer.decode(generation.tokens.slice(0, chainTokens)),
    answer,
  };
}

/** An answer for people: the question, the reasoning, the answer. */
export function drawAnswer({ question, latents, latentStop, chain, answer }: AnswerInWords): string {
  const unended = latentStop === 'limit' ? ['  (stopped by the limit, not by the model)'] : [];
  return [
    `question  ${question}`,
    ...drawLatents(latents),
    ...unended,
    ...(chain ? [`chain     ${chain}`] : []),
    `answer    ${answer}`,
  ].join('\n');
}

/** The question in the form that the run was trained on; what its answer is plays no part. */
function recordOf({ recipe }: LoadedAnswerer, question: string): ReasoningRecord {
  const record = { question, steps: [], answer: '' };
  const choice = /^.*\bIs (\w+) (an?) (\w+) or (?:an? )?\w+\?\s*$/s.exec(question);
  if (recipe.data.source !== 'reachability' || !choice) return inTrainedForm(recipe, record);
  const [, root, article, first] = choice;
  return inTrainedForm(recipe, { ...record, answer: `${root} is ${article} ${first}.` });
}
