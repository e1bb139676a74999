import type { Shape } from '../shapes/shape.js';
import type { WorkDescription } from '../workload/work-file.js';
import type { CaseGroup } from './suite.js';
import { trainingSuite } from './training-suites.js';

/** Chain lengths, each with about the same tokens a step, so that only the length changes. */
const CHAINS = [128, 256, 512, 1024, 2048, 4096, 8192] as const;
const TOKENS_A_STEP = { demo: 8192, smollm2: 2048 } as const;

/** Batches, at one length. */
const BATCHES = [1, 2, 4, 8, 16, 32, 64] as const;
/** Chain tokens a latent, at one length. */
const RATES = [2, 4, 8, 16] as const;
const CHAIN = { demo: 64, smollm2: 32 } as const;
const RATED_CHAIN = 512;

/** Layers of a large model here: what a length does to a layer, it does to all. */
export const SCALING_LAYERS = 2;

/** One size of the union step. */
export interface ScalingPoint {
  readonly name: string;
  readonly shape: Shape;
}

/** The sizes that a shape is measured at: chain length, then batch, then rate. */
export function scalingPoints(shape: Shape): ScalingPoint[] {
  const at = (name: string, chain: number, batch: number, rate: number): ScalingPoint => ({
    name,
    shape: { ...shape, lengths: [[8, chain, 2]], batch, rate },
  });
  const { name } = shape;
  return [
    ...CHAINS.map((chain) =>
      at(`chain-${chain}`, chain, Math.max(1, Math.floor(TOKENS_A_STEP[name] / chain)), shape.rate),
    ),
    ...BATCHES.map((batch) => at(`batch-${batch}`, CHAIN[name], batch, shape.rate)),
    ...RATES.map((rate) =>
      at(`rate-${rate}`, RATED_CHAIN, Math.max(1, Math.floor(TOKENS_A_STEP[name] / RATED_CHAIN)), rate),
    ),
  ];
}

/** The union step at one size; the losses must agree where a peer is measured. */
export function scalingGroup(
  { name, shape }: ScalingPoint,
  folder: string,
  work: WorkDescription,
): CaseGroup {
  const union = trainingSuite('stage1', shape.name, folder, work).find(
    ({ cases }) => cases[0]!.name === 'union',
  )!;
  const [prompt, chain] = shape.lengths[0]!;
  const title = `union step, prompt ${prompt}, chain ${chain}, rate ${shape.rate}`;
  return {
    ...union,
    suite: 'scaling',
    peers: ['latent-sft', 'best'],
    cases: union.cases.map((one) => ({ ...one, title, name, asked: one.name })),
  };
}
