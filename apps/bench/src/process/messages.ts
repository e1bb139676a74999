import { z } from 'zod';

/** What a peer is asked, one JSON object a line. */
export interface Request {
  readonly id: number;
  readonly method: Method;
  readonly params?: Readonly<Record<string, unknown>>;
}

export type Method = 'open' | 'check' | 'run' | 'gemm' | 'memory';

/** What it answers, one JSON object a line. */
export const answerSchema = z.union([
  z.object({ id: z.int(), result: z.unknown() }).strict(),
  z.object({ id: z.int(), error: z.string() }).strict(),
]);

/** A peer is ready: what it runs on. */
export const openedSchema = z.object({
  versions: z.record(z.string(), z.string()),
  threads: z.int().min(1),
});

/** Numbers that every peer must agree on, from the same start. */
export const checkedSchema = z.object({ values: z.array(z.number()) });

/** One timed run. */
export const ranSchema = z.object({
  seconds: z.number().positive(),
  /** Part of the time that went into making the batch. */
  prepareSeconds: z.number().min(0).optional(),
  /** Floating-point operations of the run, where the peer counts them. */
  flops: z.number().positive().optional(),
});

export const gemmSchema = z.object({ gflops: z.number().positive().nullable() });

export const memorySchema = z.object({ peakBytes: z.number().positive().nullable() });

export type Ran = z.output<typeof ranSchema>;
export type Opened = z.output<typeof openedSchema>;
