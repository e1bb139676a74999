import { type PromptSettings, promptIds, type ReasoningRecord, type Tokenizer } from '@latent-sft/data';
import { type GradeKind, gradeAnswer } from '@latent-sft/metrics';
import {
  type DecoderWeights,
  type Generation,
  generate,
  type ModelConfig,
  type Parameters,
  type ReasoningMode,
  type Sampling,
} from '@latent-sft/model';
import type { MixtureSettings } from '@latent-sft/soft-embedding';

/** A model with everything that answering takes. */
export interface Answerer {
  readonly config: ModelConfig;
  readonly parameters: Parameters;
  readonly tokenizer: Tokenizer;
  readonly prompt: PromptSettings;
  readonly mode: ReasoningMode;
  readonly mixture: MixtureSettings;
  readonly maxLatents: number;
  readonly maxTokens: number;
  /** Questions answered at once. */
  readonly batch: number;
  /** What steps read in place of the parameters: a format of fewer bytes. */
  readonly weights?: DecoderWeights;
  /** How answers are compared. */
  readonly grading: GradeKind;
}

/** How one question was answered. */
export interface Answered {
  readonly record: ReasoningRecord;
  readonly answer: string;
  readonly correct: boolean;
  /** Tokens of question and think marker. */
  readonly promptTokens: number;
  /** Tokens of the written chain; 0 without one. */
  readonly chainTokens: number;
  readonly answerTokens: number;
  readonly generation: Generation;
}

/**
 * Answers questions, greedily unless told otherwise, and grades each answer against the record's.
 *
 * @param traceSize how many of each latent's words to report
 * @throws if a question holds a word outside the vocabulary.
 */
export function answerQuestions(
  answerer: Answerer,
  records: readonly ReasoningRecord[],
  options: {
    readonly traceSize?: number;
    readonly traceVectors?: boolean;
    readonly sampling?: Sampling;
    readonly givenLatents?: readonly (readonly Float32Array[])[];
    readonly onBatch?: (answered: number) => void;
  } = {},
): Answered[] {
  const { tokenizer, batch } = answerer;
  const { special } = tokenizer;
  const answered: Answered[] = [];
  for (let start = 0; start < records.length; start += batch) {
    const part = records.slice(start, start + batch);
    const requests = part.map((record, i) => {
      const prompt = [...promptIds(tokenizer, record.question, answerer.prompt), ...special.think];
      const given = options.givenLatents?.[start + i];
      return given ? { prompt, givenLatents: given } : { prompt };
    });
    const generations = generate(answerer.config, answerer.parameters, requests, {
      mode: answerer.mode,
      end: special.end,
      eos: special.eos,
      maxLatents: answerer.maxLatents,
      maxTokens: answerer.maxTokens,
      mixture: answerer.mixture,
      weights: answerer.weights,
      sampling: options.sampling ?? { kind: 'greedy' },
      traceSize: options.traceSize ?? 0,
      traceVectors: options.traceVectors ?? false,
    });
    part.forEach((record, i) => {
      answered.push(graded(answerer, record, requests[i]!.prompt.length, generations[i]!));
    });
    options.onBatch?.(answered.length);
  }
  return answered;
}

function graded(
  { tokenizer, mode, grading }: Answerer,
  record: ReasoningRecord,
  promptTokens: number,
  generation: Generation,
): Answered {
  const { tokens } = generation;
  const end = mode === 'chain' ? findMarker(tokens, tokenizer.special.end) : 0;
  const chainTokens = mode === 'chain' ? (end < 0 ? tokens.length : end) : 0;
  // a chain that never ended has no answer
  const after = mode === 'chain' ? chainTokens + tokenizer.special.end.length : 0;
  const answer = end < 0 ? '' : tokenizer.decode(tokens.slice(after));
  const expected = tokenizer.decode(tokenizer.encode(record.answer));
  const answerTokens = Math.max(0, tokens.length - after);
  // a question that is only asked comes without an answer to compare with
  const correct = expected !== '' && gradeAnswer(answer, expected, grading).correct;
  return { record, answer, correct, promptTokens, chainTokens, answerTokens, generation };
}

function findMarker(tokens: readonly number[], marker: readonly number[]): number {
  return tokens.findIndex((_, start) => marker.every((id, i) => tokens[start + i] === id));
}
