import type { PythonNeeds } from '../python/python-environment.js';
import type { ShapeName } from '../shapes/shape.js';

export const SUITES = ['stage1', 'stage2', 'decode', 'labels', 'kernels', 'scaling'] as const;

export type SuiteName = (typeof SUITES)[number];

/**
 * Who is measured: we, ourselves with weights of fewer bytes, our kernels composed of TensorFlow's operations, and the
 * peers.
 */
export const PEERS = [
  'latent-sft',
  'bfloat16',
  'int8',
  'composition',
  'official',
  'best',
  'transformers',
  'torch',
  'llama.cpp',
] as const;

export type PeerName = (typeof PEERS)[number];

/** What is timed, and compared before. */
export interface BenchCase {
  readonly name: string;
  /** What peers are asked to do, where that is not the name. */
  readonly asked?: string;
  /** In words, with its size. */
  readonly title: string;
  /** Examples, and tokens, of one run; 0 where there is no such thing. */
  readonly examples: number;
  readonly tokens: number;
  /** Largest relative difference of checked numbers. */
  readonly tolerance: number;
  /** FLOPs of the products that the case needs; null where the process counts them, or nobody does. */
  readonly flops: number | null;
  /** A guess at what a run costs where that is not known before: only to say how long a bench takes. */
  readonly expected?: ExpectedCost;
}

/** A guess at what one run costs, and how many runs a check takes. */
export interface ExpectedCost {
  readonly flops?: number;
  readonly bytes?: number;
  readonly checks?: number;
}

/** Cases that are run by the same processes; each group starts new ones, so that memory is theirs alone. */
export interface CaseGroup {
  readonly suite: SuiteName;
  readonly shape: ShapeName | null;
  readonly peers: readonly PeerName[];
  /** What every peer is told when it opens. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly cases: readonly BenchCase[];
  readonly needs: PythonNeeds;
  /** Peers that compute something near it: what is equal is stated, and a difference makes nothing void. */
  readonly near?: readonly PeerName[];
  /** Peers that are left out, and why. */
  readonly skipped?: readonly Skipped[];
}

/** A peer that is not measured in a case. */
export interface Skipped {
  readonly peer: PeerName;
  readonly reason: string;
}
