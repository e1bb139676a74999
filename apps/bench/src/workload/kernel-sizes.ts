import type { Shape, ShapeName } from '../shapes/shape.js';

/** Sizes that kernels are measured at. */
export interface KernelSize {
  readonly name: ShapeName | 'odd';
  /** Rows of a step, rows that reach the vocabulary, rows of a decoding step. */
  readonly rows: number;
  readonly vocabularyRows: number;
  readonly decodedRows: number;
  /** Keys of one sequence. */
  readonly keys: number;
  /** Numbers that an optimiser moves. */
  readonly parameters: number;
  /** Of the adapters of blocks; 0 where weights move themselves. */
  readonly rank: number;
  readonly width: number;
  readonly feedForwardWidth: number;
  readonly vocabularySize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
}

/** No multiple of what vectors and tiles hold. */
const ODD: KernelSize = {
  ...{ name: 'odd', rows: 333, vocabularyRows: 77, decodedRows: 3, keys: 37, parameters: 100_003, rank: 5 },
  ...{ width: 67, feedForwardWidth: 173, vocabularySize: 1013, heads: 3, keyValueHeads: 1, headWidth: 22 },
};

const STEPS = {
  demo: { rows: 1664, vocabularyRows: 832, decodedRows: 32, keys: 26, parameters: 130_000, rank: 0 },
  smollm2: { rows: 1024, vocabularyRows: 64, decodedRows: 1, keys: 512, parameters: 4_880_000, rank: 64 },
} as const;

/** Those of a step of the shape, and with the small one some that are odd. */
export function kernelSizes({ name, config }: Shape): KernelSize[] {
  const { width, feedForwardWidth, vocabularySize, heads, keyValueHeads, headWidth } = config;
  const own = {
    ...{ name, ...STEPS[name] },
    ...{ width, feedForwardWidth, vocabularySize, heads, keyValueHeads, headWidth },
  };
  return name === 'demo' ? [own, ODD] : [own];
}
