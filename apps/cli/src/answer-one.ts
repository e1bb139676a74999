import type { LatentStop, Sampling } from '@latent-sft/model';
import { answerQuestions, inTrainedForm, type LoadedAnswerer } from '@latent-sft/training';
import { drawLatents, type LatentWords, latentWords } from './output/latents.js';
import { namer, readSpokenQuestion } from './symbol-names.js';

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
  const spoken = answerer.recipe.data.source === 'reachability' ? readSpokenQuestion(question) : null;
  const record = inTrainedForm(answerer.recipe, {
    question,
    steps: [],
    answer: spoken?.possibleAnswer ?? '',
  });
  // a model trained on symbols is shown in the names that were asked about
  const name = spoken ? namer(spoken.names, record.question) : (text: string) => text;
  const [answered] = answerQuestions(answerer, [record], { traceSize: words, sampling });
  const { answer, chainTokens, generation } = answered!;
  const latents = latentWords(generation.latents, answerer.tokenizer).map((latent) => ({
    ...latent,
    words: latent.words.map(({ word, weight }) => ({ word: name(word), weight })),
  }));
  const chain = answerer.tokenizer.decode(generation.tokens.slice(0, chainTokens));
  return { question, latents, latentStop: generation.latentStop, chain: name(chain), answer: name(answer) };
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
