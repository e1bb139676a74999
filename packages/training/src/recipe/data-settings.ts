import { recordFormats } from '@latent-sft/data';
import { z } from 'zod';
import { count, share } from './fields.js';

const sizes = { train: count.default(20_000), validation: count.default(500), test: count.default(500) };

/** Where questions come from: a built-in task with its seed, or files. */
export const dataSettings = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('modular-arithmetic'),
    form: z.enum(['pair', 'separate']).default('pair'),
    operations: z.union([count, z.tuple([count, count])]).default(6),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('variable-chains'),
    variables: z.union([count, z.tuple([count, count])]).default(4),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('reachability'),
    /** Share of training rows that show only some of their facts; validation and test always show all. */
    thinned: share.default(0),
    ...sizes,
  }),
  z.strictObject({
    source: z.literal('files'),
    /** `auto`: what the first row looks like. */
    format: z.enum(recordFormats).default('auto'),
    /** What the fields of rows in no known format are called. */
    fields: z
      .strictObject({
        question: z.string().min(1),
        chain: z.string().min(1).optional(),
        answer: z.string().min(1),
      })
      .optional(),
    /** Which training chains of equations are kept; validation and test keep all. */
    chains: z.enum(['checked', 'recomputing', 'all']).default('checked'),
    train: z.string(),
    /** Training rows to use, the first of the file; default all. */
    trainRows: count.optional(),
    /** A file, or how many training rows to hold out. */
    validation: z.union([z.string(), count]).default(500),
    test: z.string().optional(),
    emptyChain: z.enum(['keep', 'error', 'drop']).default('error'),
  }),
]);

/** What a question is wrapped in before the think marker. */
export const promptSettings = z.strictObject({
  /** `chat`: as a user's turn by the model's own chat template. */
  template: z.enum(['none', 'chat']).default('none'),
  instruction: z.string().default(''),
  prefix: z.string().default(''),
  suffix: z.string().default(''),
});

/** The texts that open and close the reasoning, with a pretrained model's tokenizer. */
export const markerSettings = z.strictObject({
  think: z.string().min(1).default('<think>'),
  end: z.string().min(1).default('</think>'),
});

/** What happens to examples that memory has no room for; they are counted, never lost silently. */
export const lengthSettings = z.strictObject({
  /** Tokens of question, chain and answer together. */
  maxTokens: count.default(4096),
  tooLong: z.enum(['drop', 'cut', 'error']).default('error'),
});
