import { createInterface } from 'node:readline';
import { z } from 'zod';

/** What a process of ours measures. */
export interface ServedWork {
  /** Numbers that every peer must agree on, from the same start. */
  check(testCase: string): number[];
  run(testCase: string): {
    readonly seconds: number;
    readonly prepareSeconds?: number;
    readonly flops?: number;
  };
}

/** What answers to each method. */
export interface Service {
  open(
    params: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly work: ServedWork; readonly result: unknown }>;
  gemm(params: Readonly<Record<string, unknown>>): unknown;
  memory(): unknown;
}

const requestSchema = z.object({
  id: z.int(),
  method: z.enum(['open', 'check', 'run', 'gemm', 'memory']),
  params: z.record(z.string(), z.unknown()).default({}),
});

const caseSchema = z.object({ case: z.string() });

/** Answers requests from standard input until it ends, one a line, in turn. */
export async function serve(service: Service): Promise<void> {
  let work: ServedWork | null = null;
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = requestSchema.parse(JSON.parse(line));
    try {
      let result: unknown;
      if (method === 'open') ({ work, result } = await service.open(params));
      else if (method === 'gemm') result = service.gemm(params);
      else if (method === 'memory') result = service.memory();
      else if (!work) throw new Error(`serve: expected open before ${method}, got none`);
      else {
        const testCase = caseSchema.parse(params).case;
        result = method === 'check' ? { values: work.check(testCase) } : work.run(testCase);
      }
      process.stdout.write(`${JSON.stringify({ id, result })}\n`);
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ id, error: (error as Error).message })}\n`);
    }
  }
}
