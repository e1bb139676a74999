import { checkInteger } from './checks.js';

/** Steps that one generated answer took. */
export interface GeneratedLength {
  /** Latent steps, or tokens of the written chain. */
  readonly reasoning: number;
  /** Tokens of the end marker. */
  readonly end: number;
  /** Answer tokens after the end marker, end of turn included. */
  readonly answer: number;
}

export interface ChainLengthReport {
  readonly items: number;
  readonly meanReasoning: number;
  readonly meanEnd: number;
  readonly meanAnswer: number;
  /** Mean forward passes of decoding: reasoning + end + answer. */
  readonly meanTotal: number;
}

/**
 * Gives the mean numbers of reasoning steps, end-marker tokens and answer tokens, each on its own.
 *
 * The #L of arXiv 2510.15522 (table 1) is `meanReasoning`; its longer tasks (table 2) seem to count every output
 * token, `meanTotal`. Reasoning that has moved into the answer shows only when the three are apart.
 *
 * @throws If there is no item.
 * @throws If a count is not an integer of at least 0.
 */
export function chainLength(items: readonly GeneratedLength[]): ChainLengthReport {
  if (items.length === 0) throw new Error('chainLength: expected at least 1 item, got none');
  const mean = (part: keyof GeneratedLength): number => {
    let sum = 0;
    items.forEach((item, i) => {
      checkInteger('chainLength', `${part} of item ${i}`, item[part], 0);
      sum += item[part];
    });
    return sum / items.length;
  };
  const [meanReasoning, meanEnd, meanAnswer] = [mean('reasoning'), mean('end'), mean('answer')];
  const meanTotal = meanReasoning + meanEnd + meanAnswer;
  return { items: items.length, meanReasoning, meanEnd, meanAnswer, meanTotal };
}
