import type { EvaluationReport } from '@latent-sft/training';
import { withPrefix } from './costs.js';
import { percentage } from './progress.js';

/** An accuracy with its number of items and its interval. */
export function accuracyInWords(stage: string, report: EvaluationReport): string {
  const { items, passAt1, meanLatents, meanChainTokens, meanAnswerTokens, msPerQuestion } = report;
  const reasoning =
    stage === 'latent' ? `${meanLatents.toFixed(1)} latents` : `${meanChainTokens.toFixed(1)} chain tokens`;
  return (
    `${stage}: ${percentage(passAt1)} of ${items} questions right (95 % interval ${intervalInWords(report)}), ` +
    `${reasoning} and ${meanAnswerTokens.toFixed(1)} answer tokens a question, ${msPerQuestion.toFixed(2)} ms each`
  );
}

/** What the questions were and what answering them cost, for the line after. */
export function costsInWords({ items, flopsPerQuestion, peakRssBytes, sha256 }: EvaluationReport): string {
  const memory = peakRssBytes === null ? '' : `, peak memory ${withPrefix(peakRssBytes, 'B')}`;
  return `${withPrefix(flopsPerQuestion, 'FLOP')} a question${memory}; ${items} questions, sha256 ${sha256}`;
}

/** A 95 % interval in percent. */
export function intervalInWords({ interval95: [low, high] }: Pick<EvaluationReport, 'interval95'>): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
}
