import { z } from 'zod';

/** One example: a question, its chain of thought as steps in order, and the answer. */
export interface ReasoningRecord {
  readonly question: string;
  readonly steps: readonly string[];
  readonly answer: string;
}

/** The shape of a {@link ReasoningRecord} that comes from outside; an empty chain is allowed here. */
export const reasoningRecordSchema = z.object({
  question: z.string().regex(/\S/, 'expected a question that is not empty'),
  steps: z.array(z.string().regex(/\S/, 'expected a step that is not empty')),
  answer: z.string().regex(/\S/, 'expected an answer that is not empty'),
});
