import { z } from 'zod';
import type { ReasoningRecord } from '../record.js';

/** A record and where it stands: `line 7` or `item 7`. */
export interface LocatedRecord {
  readonly record: ReasoningRecord;
  readonly place: string;
  /** What a chain of equations was checked for, where the format has one. */
  readonly checks?: { readonly recomputes: boolean; readonly endsInAnswer: boolean };
}

/** What is the matter with a field, in the words of the error. */
export const textField = z
  .string('a text')
  .regex(/\S/, 'a text that is not empty')
  .transform((text) => text.trim());

/** A text, or a number as some files write answers. */
export const answerField = z
  .union([z.string(), z.number()], 'a text or a number')
  .transform((answer) => String(answer).trim())
  .refine((answer) => answer !== '', 'a text that is not empty');

/** Steps as a list of texts; an empty list is an empty chain. */
export const stepsField = z.array(textField, 'a list of texts');
