import { createHash } from 'node:crypto';
import type { ReasoningRecord } from '../record.js';
import { hashQuestion } from './digest.js';

export interface SplitOptions {
  /** How many records to hold out. */
  readonly validation: number;
  readonly seed: number;
}

/**
 * Holds records out for validation; which ones depends on the seed and the questions, not on their order.
 *
 * Records with one question stay together: a group that would pass the number asked for is not held out.
 *
 * @throws if `validation` is no integer in [0, number of records].
 */
export function splitRecords(
  records: readonly ReasoningRecord[],
  { validation, seed }: SplitOptions,
): { train: ReasoningRecord[]; validation: ReasoningRecord[] } {
  if (!Number.isInteger(validation) || validation < 0 || validation > records.length) {
    throw new Error(
      `splitRecords: expected validation to be an integer in [0, ${records.length}], got ${validation}`,
    );
  }
  const hashes = records.map((record) => hashQuestion(record.question));
  const sizes = new Map<string, number>();
  for (const hash of hashes) sizes.set(hash, (sizes.get(hash) ?? 0) + 1);
  const ranked = [...sizes.keys()]
    .map((hash) => ({ hash, rank: createHash('sha256').update(`${seed}:${hash}`).digest('hex') }))
    .sort((left, right) => (left.rank < right.rank ? -1 : 1));

  const heldOut = new Set<string>();
  let room = validation;
  for (const { hash } of ranked) {
    const size = sizes.get(hash)!;
    if (size > room) continue;
    heldOut.add(hash);
    room -= size;
  }
  return {
    train: records.filter((_, index) => !heldOut.has(hashes[index]!)),
    validation: records.filter((_, index) => heldOut.has(hashes[index]!)),
  };
}

/** Training records without those whose question is held out (by `hashQuestion`), and how many were removed. */
export function withoutQuestions(
  train: readonly ReasoningRecord[],
  heldOut: readonly ReasoningRecord[],
): { records: ReasoningRecord[]; removed: number } {
  const hashes = new Set(heldOut.map((record) => hashQuestion(record.question)));
  const records = train.filter((record) => !hashes.has(hashQuestion(record.question)));
  return { records, removed: train.length - records.length };
}
