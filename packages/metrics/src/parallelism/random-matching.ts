import { randomDraws } from '@latent-sft/random';
import { checkInteger } from '../checks.js';
import { effectivePathCount, pathPosterior, pathScore } from './path-support.js';

export interface BaselineOptions {
  /** Largest number of joint assignments that are all enumerated; default 20,000. */
  readonly exactLimit?: number;
  /** Random draws beyond that; default 256. */
  readonly draws?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface RandomMatching {
  /** Mean N_eff when every path is matched to the steps at random, independently. */
  readonly effectivePaths: number;
  readonly kind: 'exact' | 'sampled';
  /** Joint assignments enumerated or drawn. */
  readonly assignments: number;
  /** Of the mean over draws; 0 if exact. */
  readonly standardError: number;
}

type SupportMatrix = readonly (readonly number[])[];

/** Gives the mean N_eff over random assignments: all of them where they are few, else seeded draws. */
export function randomMatching(
  supports: readonly SupportMatrix[],
  temperature: number,
  options: Required<BaselineOptions>,
): RandomMatching {
  const joint = supports.reduce((product, support) => product * factorial(support.length), 1);
  return joint <= options.exactLimit
    ? enumerated(supports, temperature, joint)
    : sampled(supports, temperature, options);
}

function enumerated(
  supports: readonly SupportMatrix[],
  temperature: number,
  assignments: number,
): RandomMatching {
  const scores = supports.map((support) =>
    permutations(support.length).map((assignment) => pathScore(support, assignment)),
  );
  let sum = 0;
  for (let code = 0; code < assignments; code++) {
    // The joint assignment's number, written with one digit a path.
    let rest = code;
    const chosen = scores.map((ofPath) => {
      const score = ofPath[rest % ofPath.length]!;
      rest = Math.floor(rest / ofPath.length);
      return score;
    });
    sum += effectivePathCount(pathPosterior(chosen, temperature));
  }
  return { effectivePaths: sum / assignments, kind: 'exact', assignments, standardError: 0 };
}

function sampled(
  supports: readonly SupportMatrix[],
  temperature: number,
  { draws, seed }: Required<BaselineOptions>,
): RandomMatching {
  checkInteger('parallelism', 'seed', seed, 0);
  const random = randomDraws(seed);
  const counts = Array.from({ length: draws }, () => {
    const scores = supports.map((support) => pathScore(support, random.shuffle([...support.keys()])));
    return effectivePathCount(pathPosterior(scores, temperature));
  });
  const mean = counts.reduce((sum, count) => sum + count, 0) / draws;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (draws - 1);
  return {
    effectivePaths: mean,
    kind: 'sampled',
    assignments: draws,
    standardError: Math.sqrt(variance / draws),
  };
}

function factorial(count: number): number {
  return count <= 1 ? 1 : count * factorial(count - 1);
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_, place) => shorter.toSpliced(place, 0, count - 1)),
  );
}
