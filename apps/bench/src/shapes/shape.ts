import type { ModelConfig } from '@latent-sft/model';
import { GSM8K_LENGTHS, type QuestionLengths } from './question-lengths.js';

export const SHAPES = ['demo', 'smollm2'] as const;

export type ShapeName = (typeof SHAPES)[number];

/** A model, what moves of it, and the rows that it is measured on. */
export interface Shape {
  readonly name: ShapeName;
  readonly config: ModelConfig;
  readonly tuning:
    | { readonly method: 'full' }
    | { readonly method: 'lora'; readonly rank: number; readonly alpha: number };
  /** Standard deviation of random weights. */
  readonly deviation: number;
  readonly lengths: readonly QuestionLengths[];
  /** Chain tokens that a latent stands for. */
  readonly rate: number;
  /** Examples a step. */
  readonly batch: number;
  /** Learning rate of the steps that are checked and timed. */
  readonly learningRate: number;
  readonly special: {
    readonly think: readonly number[];
    readonly end: readonly number[];
    readonly eos: number;
    /** What an encoder's latent rows hold; a model with adapters reads a vector of its own there. */
    readonly compress: number;
    /** The first id that random tokens are drawn from. */
    readonly firstWord: number;
  };
}

/** The small model that `latent-sft demo` trains, and its rows: running modular arithmetic, six operations. */
const DEMO: Shape = {
  name: 'demo',
  config: {
    architecture: 'llama',
    vocabularySize: 37,
    width: 64,
    layers: 3,
    heads: 4,
    keyValueHeads: 4,
    headWidth: 16,
    feedForwardWidth: 160,
    ropeBase: 1000,
    normEpsilon: 1e-5,
    tiedEmbeddings: true,
    maxPositions: 4096,
  },
  tuning: { method: 'full' },
  deviation: 0.08,
  lengths: [[8, 12, 2]],
  rate: 2,
  batch: 64,
  learningRate: 1e-3,
  special: { think: [1], end: [2], eos: 4, compress: 3, firstWord: 5 },
};

/** SmolLM2-135M with adapters on its seven maps, and the lengths of GSM8K's rows. */
const SMOLLM2: Shape = {
  name: 'smollm2',
  config: {
    architecture: 'llama',
    vocabularySize: 49152,
    width: 576,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    headWidth: 64,
    feedForwardWidth: 1536,
    ropeBase: 100_000,
    normEpsilon: 1e-5,
    tiedEmbeddings: true,
    maxPositions: 8192,
  },
  tuning: { method: 'lora', rank: 64, alpha: 128 },
  deviation: 0.02,
  lengths: GSM8K_LENGTHS,
  rate: 2,
  batch: 8,
  learningRate: 1e-4,
  special: { think: [44, 17400, 46], end: [9617, 17400, 46], eos: 2, compress: 2, firstWord: 3 },
};

const BY_NAME: Readonly<Record<ShapeName, Shape>> = { demo: DEMO, smollm2: SMOLLM2 };

/** A shape by name, with fewer layers or another batch where asked for. */
export function shapeOf(
  name: ShapeName,
  changes: { readonly layers?: number | undefined; readonly batch?: number | undefined } = {},
): Shape {
  const shape = BY_NAME[name];
  const layers = changes.layers ?? shape.config.layers;
  return { ...shape, config: { ...shape.config, layers }, batch: changes.batch ?? shape.batch };
}

/** Lengths of a batch, evenly spread over the shape's rows from short to long. */
export function lengthsOf({ lengths }: Shape, batch: number): QuestionLengths[] {
  return Array.from({ length: batch }, (_, i) => lengths[Math.floor(((i + 0.5) * lengths.length) / batch)]!);
}
