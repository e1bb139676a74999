import { z } from 'zod';
import { count, notNegative, positive } from './fields.js';

/** How a chain is cut into segments, one latent each. */
export const segmenterSettings = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('rate'), rate: count }),
  z.strictObject({ by: z.enum(['step', 'line', 'equation', 'sentence']) }),
]);

/** The kinds of Gumbel noise. */
export const noiseVariant = z.enum(['none', 'plain', 'clamped', 'one-sided']);

/** The head that makes latents. */
export const latentSettings = z.strictObject({
  support: z.union([z.literal('full'), count]).default('full'),
  temperature: positive.default(2),
  readout: z.enum(['input-table', 'lm-head']).default('lm-head'),
  /** Noise in the head while stage 1 trains. */
  noise: z
    .strictObject({ variant: noiseVariant.default('plain'), scale: notNegative.default(0.5) })
    .prefault({}),
  maxLatents: count.default(64),
  /** Whether a mixture may hold the end marker, as in the paper; students then tend to stop early. */
  endMarkerInMixtures: z.boolean().default(false),
});

/** What each row of encoder and decoder sees, and where it stands. */
export const maskSettings = z.strictObject({
  encoder: z.enum(['ltim', 'causal']).default('ltim'),
  decoder: z.enum(['ltsum', 'causal']).default('ltsum'),
  segmentContext: z.enum(['latent', 'latent+prompt', 'latent+bos']).default('latent'),
  answerSeesLastLatent: z.boolean().default(true),
  positions: z.enum(['dual', 'single']).default('dual'),
});
