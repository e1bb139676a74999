import type { ReasoningRecord } from '../record.js';
import { hashQuestion, recordsDigest } from '../splits/digest.js';

export interface RecordsDescription {
  readonly records: number;
  readonly emptyChains: number;
  /** Records whose question (by `hashQuestion`) an earlier record has. */
  readonly duplicateQuestions: number;
  /** How many records have how many steps, fewest steps first. */
  readonly stepCounts: readonly { readonly steps: number; readonly records: number }[];
  /** `recordsDigest` of the records. */
  readonly digest: string;
}

/** Counts over records, and their digest. */
export function describeRecords(records: readonly ReasoningRecord[]): RecordsDescription {
  const counts = new Map<number, number>();
  for (const { steps } of records) counts.set(steps.length, (counts.get(steps.length) ?? 0) + 1);
  return {
    records: records.length,
    emptyChains: counts.get(0) ?? 0,
    duplicateQuestions: records.length - new Set(records.map((record) => hashQuestion(record.question))).size,
    stepCounts: [...counts]
      .sort(([left], [right]) => left - right)
      .map(([steps, count]) => ({ steps, records: count })),
    digest: recordsDigest(records),
  };
}
