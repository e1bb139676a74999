import { SHAPES, type ShapeName } from './shapes/shape.js';
import { PEERS, type PeerName, SUITES, type SuiteName } from './suites/suite.js';

/** What to measure, and how. */
export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  readonly shapes: readonly ShapeName[];
  /** Peers beside ourselves; absent: all that a suite has. */
  readonly peers?: readonly PeerName[] | undefined;
  readonly rounds: number;
  readonly warmUps: number;
  readonly threads: number;
  readonly backend: 'auto' | 'tensorflow' | 'wasm' | 'cpu';
  /** `random`, or a reference to a model of the shape. */
  readonly weights: string;
  readonly seed: number;
  /** Layers of the shapes, fewer than they have. */
  readonly layers?: number | undefined;
  /** Examples a step. */
  readonly batch?: number | undefined;
  /** Latents and answer tokens of a decoded question. */
  readonly latents: number;
  readonly tokens: number;
}

/** Suites that have been built so far. */
export const BUILT_SUITES: readonly SuiteName[] = [
  'stage1',
  'stage2',
  'decode',
  'labels',
  'kernels',
  'scaling',
];

const COUNTS = ['rounds', 'threads', 'layers', 'batch', 'latents', 'tokens'] as const;

/**
 * The suites that a name stands for: itself, or with `all` every suite that is built.
 *
 * @throws if there is no such suite, or it is not built yet.
 */
export function suitesNamed(name: string): readonly SuiteName[] {
  if (name === 'all') return BUILT_SUITES;
  const suite = SUITES.find((known) => known === name);
  if (!suite) throw new Error(`suitesNamed: expected one of ${SUITES.join(', ')} or all, got ${name}`);
  if (!BUILT_SUITES.includes(suite)) {
    throw new Error(
      `suitesNamed: expected a suite that is built (${BUILT_SUITES.join(', ')}), got ${suite}, which is not built yet`,
    );
  }
  return [suite];
}

/**
 * Checks options, which may come from a command line.
 *
 * @throws if a count is not a whole number from 1 on, or a seed not from 0 on.
 * @throws if a shape or peer is unknown.
 */
export function checkOptions(options: BenchOptions): void {
  for (const name of COUNTS) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) {
      throw new Error(`checkOptions: expected ${name} to be a whole number from 1 on, got ${value}`);
    }
  }
  for (const name of ['seed', 'warmUps'] as const) {
    if (!(Number.isSafeInteger(options[name]) && options[name] >= 0)) {
      throw new Error(`checkOptions: expected ${name} to be a whole number from 0 on, got ${options[name]}`);
    }
  }
  for (const shape of options.shapes) known('shape', shape, SHAPES);
  for (const peer of options.peers ?? []) {
    known('peer', peer, PEERS);
  }
}

function known(what: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new Error(`checkOptions: expected a ${what} of ${allowed.join(', ')}, got ${value}`);
  }
}
