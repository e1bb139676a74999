import type { z } from 'zod';
import type { ReasoningRecord } from '../../record.js';
import type { Container } from '../containers/container.js';
import type { ChainChecks, LocatedRecord } from '../located-record.js';
import { fieldError, sourceError } from '../source-error.js';

/** How the rows of a data set become records. */
export interface RowFormat {
  /** What a row holds, for errors. */
  readonly form: string;
  /** What its files usually are. */
  readonly container: Container;
  /** Whether a row looks like one of it. */
  readonly matches: (row: unknown) => boolean;
  /** @throws RecordError if the row is not in the format. */
  readonly read: (row: unknown, source: string, place: string) => LocatedRecord[];
}

/** A record and, for chains of equations, whether they hold. */
export interface CheckedRecord {
  readonly record: ReasoningRecord;
  readonly checks?: ChainChecks;
}

/** Makes the error for something that the fields' types do not say. */
export type Fail = (expected: string, got: string) => Error;

/** A format whose rows are objects with known fields; other fields are passed over. */
export function objectFormat<T>(
  description: Pick<RowFormat, 'form' | 'container' | 'matches'>,
  schema: z.ZodType<T>,
  toRecord: (row: T, fail: Fail) => CheckedRecord,
): RowFormat {
  return {
    ...description,
    read: (row, source, place) => {
      const parsed = schema.safeParse(row);
      if (!parsed.success) throw fieldError(source, place, row, parsed.error);
      const fail: Fail = (expected, got) => sourceError(source, place, expected, got);
      return [{ ...toRecord(parsed.data, fail), place }];
    },
  };
}

/** Whether a row is an object with all these fields. */
export function hasFields(row: unknown, ...names: string[]): row is Record<string, unknown> {
  return typeof row === 'object' && row !== null && names.every((name) => Object.hasOwn(row, name));
}
