import { z } from 'zod';
import type { ServedWork } from '../process/serve.js';
import { openTraining } from './training-work.js';

const paramsSchema = z.discriminatedUnion('work', [
  z.looseObject({
    work: z.literal('training'),
    folder: z.string(),
    phase: z.enum(['encoder', 'decoder', 'union', 'student']),
  }),
]);

/** The work that a request describes. */
export function openWork(params: unknown): ServedWork {
  const wanted = paramsSchema.parse(params);
  return openTraining(wanted.folder, wanted.phase);
}
