import { z } from 'zod';
import type { ServedWork } from '../process/serve.js';
import { openDecoding } from './decoding-work.js';
import { openKernels } from './kernel-work.js';
import { openLabelling } from './labelling-work.js';
import { openTraining } from './training-work.js';

const paramsSchema = z.discriminatedUnion('work', [
  z.looseObject({
    work: z.literal('training'),
    folder: z.string(),
    phase: z.enum(['encoder', 'decoder', 'union', 'student']),
  }),
  z.looseObject({
    work: z.literal('decoding'),
    folder: z.string(),
    rows: z.array(z.int().min(0)).min(1),
    peer: z.string(),
  }),
  z.looseObject({ work: z.literal('kernels'), folder: z.string() }),
  z.looseObject({ work: z.literal('labelling'), folder: z.string() }),
]);

/** The work that a request describes. */
export function openWork(params: unknown): ServedWork {
  const wanted = paramsSchema.parse(params);
  if (wanted.work === 'decoding') {
    const { folder, rows, peer } = wanted;
    return openDecoding(folder, rows, peer === 'bfloat16' || peer === 'int8' ? peer : 'float32');
  }
  if (wanted.work === 'kernels') return openKernels(wanted.folder);
  if (wanted.work === 'labelling') return openLabelling(wanted.folder);
  return openTraining(wanted.folder, wanted.phase);
}
