import { createHash } from 'node:crypto';
import type { ReasoningRecord } from '../record.js';

/**
 * The sha256 of a question (hex), after NFKC, lower case and single spaces: two spellings of one question,
 * one hash.
 */
export function hashQuestion(question: string): string {
  const normalised = question.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
  return createHash('sha256').update(normalised).digest('hex');
}

/** The sha256 of records in their order (hex), over one JSON line each with the keys question, steps, answer. */
export function recordsDigest(records: readonly ReasoningRecord[]): string {
  const hash = createHash('sha256');
  for (const { question, steps, answer } of records) {
    hash.update(`${JSON.stringify({ question, steps, answer })}\n`);
  }
  return hash.digest('hex');
}
