import { type CandidateStep, candidateMap } from '../candidate-step.js';
import { checkInteger, type Rows } from '../checks.js';
import { greedyAlignment, type LatentDistance } from './greedy-alignment.js';
import { effectivePathCount, meanScore, pathPosterior, pathScore, supportMatrix } from './path-support.js';
import { type BaselineOptions, type RandomMatching, randomMatching } from './random-matching.js';
import { tokenSpans } from './token-spans.js';

/** One explicit solution of the question. */
export interface ReasoningPath {
  readonly tokens: ArrayLike<number>;
  /** The encoder's latents of this path, one a segment, `[m, d]`. */
  readonly referenceLatents: Rows;
}

/** The latent chain that a model made for a question, and the solutions it is held against. */
export interface LatentChain {
  /** Mixtures, `[n]`. */
  readonly steps: readonly CandidateStep[];
  /** The vectors that were fed, `[n, d]`. */
  readonly latents: Rows;
  /** At least two, all different: see `distinctPaths`. */
  readonly paths: readonly ReasoningPath[];
}

export interface ParallelismOptions extends BaselineOptions {
  /** How many of a step's likeliest tokens count; default 100. */
  readonly candidates?: number;
  /** tau of the posterior; default 1. */
  readonly temperature?: number;
  /** `'greedy'` (default) matches steps to reference latents; `'positional'` matches step t to span t. */
  readonly alignment?: 'greedy' | 'positional';
  readonly distance?: LatentDistance;
}

export interface ParallelismReport {
  /** N_eff: how many of the paths the chain holds at once, from 1 to the number of paths. */
  readonly effectivePaths: number;
  /** What random matching would give. */
  readonly baseline: RandomMatching;
  /** `effectivePaths / baseline.effectivePaths`. */
  readonly ratio: number;
  /** Second largest posterior over the largest. */
  readonly topTwoRatio: number;
  readonly posterior: readonly number[];
  /** Nats a step, one a path. */
  readonly scoresNats: readonly number[];
  /** Absolute support: mean score of the paths, nats a step. */
  readonly supportNats: number;
  /** Score of the best path, nats a step. */
  readonly bestSupportNats: number;
  /** Mean score over all assignments of all paths, nats a step (always exact). */
  readonly randomSupportNats: number;
  /** The span of each step, one list a path. */
  readonly assignments: readonly (readonly number[])[];
}

/**
 * Measures how many explicit solutions a latent chain supports at once: the effective global parallelism N_eff.
 *
 * For path m: `T = min(steps, reference latents)`; its tokens are cut into T even spans; step t is assigned span
 * `a(t)`; `score_m = 1/T sum_t log(mass_t + 1e-12)`, `mass_t` the probability of step t on the tokens of span a(t)
 * among its top candidates; posterior `p = softmax(score / tau)`; `N_eff = exp(-sum p log p)`. The metric is that of
 * arXiv 2510.15522 (analysis of parallelism; `'positional'`, no baseline) as the authors' later script refined it
 * (greedy matching, divided by a random-matching baseline). That script estimates the baseline from 64 draws; here
 * it is exact where the permutations are few. Top-2 is undefined in the paper; `p_(2) / p_(1)` fits its figure.
 *
 * Caveats. A posterior is relative: paths that are all equally badly supported give the highest N_eff, so read
 * `ratio` and `supportNats` against `randomSupportNats` beside it. A mass may exceed 1, as repeated tokens count
 * each time. The ratio may be below 1.
 *
 * @throws If there is no step, not one latent a step, or fewer than two paths.
 * @throws If a step names an id twice, or holds bad probabilities.
 * @throws If latents differ in width, are not finite, or are zero under the cosine.
 * @throws If `candidates`, `exactLimit`, `draws` or `seed` is out of range, or `temperature` is not positive.
 */
export function parallelism(chain: LatentChain, options: ParallelismOptions = {}): ParallelismReport {
  const { candidates = 100, temperature = 1, alignment = 'greedy', distance = 'cosine' } = options;
  const baselineOptions = checkOptions(options, candidates, temperature);
  checkChain(chain);
  const steps = chain.steps.map((step, i) => candidateMap('parallelism', `step ${i}`, step, candidates));
  const supports = chain.paths.map(({ tokens, referenceLatents }) =>
    supportMatrix(steps, tokenSpans(tokens, Math.min(steps.length, referenceLatents.length))),
  );
  const assignments = chain.paths.map(({ referenceLatents }, path) =>
    alignment === 'greedy'
      ? greedyAlignment(chain.latents, referenceLatents, distance)
      : [...supports[path]!.keys()],
  );
  const scoresNats = supports.map((support, path) => pathScore(support, assignments[path]!));
  const posterior = pathPosterior(scoresNats, temperature);
  const [largest, second] = posterior.toSorted((a, b) => b - a) as [number, number];
  const effectivePaths = effectivePathCount(posterior);
  const baseline = randomMatching(supports, temperature, baselineOptions);
  return {
    effectivePaths,
    baseline,
    ratio: effectivePaths / baseline.effectivePaths,
    topTwoRatio: second / largest,
    posterior,
    scoresNats,
    supportNats: mean(scoresNats),
    bestSupportNats: scoresNats.reduce((most, score) => Math.max(most, score)),
    randomSupportNats: mean(supports.map(meanScore)),
    assignments,
  };
}

function checkOptions(
  { exactLimit = 20_000, draws = 256, seed = 0 }: BaselineOptions,
  candidates: number,
  temperature: number,
): Required<BaselineOptions> {
  checkInteger('parallelism', 'candidates', candidates, 1);
  checkInteger('parallelism', 'exactLimit', exactLimit, 0);
  checkInteger('parallelism', 'draws', draws, 2);
  checkInteger('parallelism', 'seed', seed, 0);
  if (!(temperature > 0) || !Number.isFinite(temperature)) {
    throw new Error(`parallelism: expected temperature to be finite and positive, got ${temperature}`);
  }
  return { exactLimit, draws, seed };
}

function checkChain({ steps, latents, paths }: LatentChain): void {
  if (steps.length === 0) throw new Error('parallelism: expected at least 1 step, got none');
  if (latents.length !== steps.length) {
    throw new Error(
      `parallelism: expected one latent a step, got ${latents.length} for ${steps.length} steps`,
    );
  }
  if (paths.length < 2) throw new Error(`parallelism: expected at least 2 paths, got ${paths.length}`);
  paths.forEach(({ referenceLatents }, path) => {
    if (referenceLatents.length === 0) {
      throw new Error(`parallelism: expected path ${path} to have reference latents, got none`);
    }
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
