import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  distinctPaths,
  greedyAlignment,
  type LatentChain,
  parallelism,
  tokenSpans,
  topCandidates,
} from '../src/index.js';
import { expectClose } from './close.js';
import { GOLDEN } from './golden-numbers.js';

const golden = GOLDEN.parallelism;
const chain: LatentChain = {
  steps: golden.step_probabilities.map((row) => topCandidates(row, row.length)),
  latents: golden.candidate_latents,
  paths: golden.paths.map((tokens, i) => ({ tokens, referenceLatents: golden.reference_latents[i]! })),
};

const vector = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 });
const anyChain = fc.integer({ min: 1, max: 3 }).chain((count) =>
  fc.record({
    steps: fc.array(
      fc
        .array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 6 })
        .map((row) => row.map((value) => value / row.reduce((a, b) => a + b)))
        .map((row) => topCandidates(row, 6)),
      { minLength: count, maxLength: count },
    ),
    latents: fc.array(vector, { minLength: count, maxLength: count }),
    paths: fc.array(
      fc.record({
        tokens: fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }),
        referenceLatents: fc.array(vector, { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 2, maxLength: 3 },
    ),
  }),
);

describe('parallelism', () => {
  it('equals the golden numbers with every candidate', () => {
    const report = parallelism(chain);
    const expected = golden.top100;
    expect(report.assignments).toEqual(golden.assignments);
    expectClose(report.scoresNats, expected.scores);
    expectClose(report.posterior, expected.posterior);
    expectClose([report.effectivePaths, report.ratio], [expected.n_eff, expected.ratio]);
    expectClose([report.baseline.effectivePaths], [expected.exact_random_baseline]);
    expect(report.baseline).toMatchObject({ kind: 'exact', assignments: 216, standardError: 0 });
    expectClose([report.topTwoRatio], [0.470262 / 0.475842]);
  });

  it('equals the golden numbers with the top 3 candidates', () => {
    const report = parallelism(chain, { candidates: 3 });
    const expected = golden.top3;
    expectClose(report.scoresNats, expected.scores);
    expectClose(
      [report.effectivePaths, report.baseline.effectivePaths, report.ratio],
      [expected.n_eff, expected.exact_random_baseline, expected.ratio],
    );
  });

  it('equals the golden numbers of the positional variant', () => {
    const all = parallelism(chain, { alignment: 'positional' });
    expectClose(all.scoresNats, golden.top100.positional_scores);
    expectClose([all.effectivePaths], [golden.top100.positional_n_eff]);
    const top3 = parallelism(chain, { alignment: 'positional', candidates: 3 });
    expectClose([top3.effectivePaths], [golden.top3.positional_n_eff]);
  });

  it('samples the baseline beyond the limit, by seed, near the exact value', () => {
    const options = { exactLimit: 215, draws: 4000, seed: 7 };
    const { baseline } = parallelism(chain, options);
    expect(baseline).toMatchObject({ kind: 'sampled', assignments: 4000 });
    const error = Math.abs(baseline.effectivePaths - golden.top100.exact_random_baseline);
    expect(error).toBeLessThan(4 * baseline.standardError);
    expect(parallelism(chain, options).baseline).toEqual(baseline);
    expect(parallelism(chain, { ...options, seed: 8 }).baseline).not.toEqual(baseline);
  });

  it('shows by the support that a uniform posterior may mean no support at all', () => {
    const step = { ids: [9], probabilities: [1] };
    const report = parallelism({ ...chain, steps: [step, step, step] });
    expectClose([report.effectivePaths, report.ratio], [3, 1]);
    expectClose([report.supportNats, report.randomSupportNats], [Math.log(1e-12), Math.log(1e-12)]);
  });

  it('lies between 1 and the number of paths, with a posterior that sums to 1', () => {
    fc.assert(
      fc.property(anyChain, fc.constantFrom('greedy' as const, 'positional' as const), (made, alignment) => {
        const report = parallelism(made, { alignment });
        for (const count of [report.effectivePaths, report.baseline.effectivePaths]) {
          expect(count).toBeGreaterThan(1 - 1e-9);
          expect(count).toBeLessThan(made.paths.length + 1e-9);
        }
        expectClose([report.posterior.reduce((a, b) => a + b)], [1], 1e-12);
        expect(report.topTwoRatio).toBeLessThanOrEqual(1);
        expect(report.bestSupportNats).toBeGreaterThanOrEqual(report.supportNats - 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('does not depend on the order of the paths or on token names', () => {
    fc.assert(
      fc.property(anyChain, (made) => {
        const renamed: LatentChain = {
          steps: made.steps.map(({ ids, probabilities }) => ({
            ids: Array.from(ids, (id) => id + 50),
            probabilities,
          })),
          latents: made.latents,
          paths: made.paths
            .map((path) => ({ ...path, tokens: path.tokens.map((token) => token + 50) }))
            .reverse(),
        };
        const [a, b] = [parallelism(made), parallelism(renamed)];
        expectClose([...b.posterior].reverse(), a.posterior, 1e-9);
        expectClose(
          [b.effectivePaths, b.baseline.effectivePaths, b.supportNats, b.randomSupportNats],
          [a.effectivePaths, a.baseline.effectivePaths, a.supportNats, a.randomSupportNats],
          1e-9,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('refuses bad input', () => {
    const cases: [LatentChain, Parameters<typeof parallelism>[1], string][] = [
      [{ ...chain, steps: [] }, {}, 'parallelism: expected at least 1 step, got none'],
      [{ ...chain, latents: [[1, 0]] }, {}, 'expected one latent a step, got 1 for 3 steps'],
      [{ ...chain, paths: chain.paths.slice(0, 1) }, {}, 'expected at least 2 paths, got 1'],
      [chain, { temperature: 0 }, 'expected temperature to be finite and positive, got 0'],
      [chain, { candidates: 0 }, 'expected candidates to be an integer of at least 1, got 0'],
      [chain, { draws: 1 }, 'expected draws to be an integer of at least 2, got 1'],
      [chain, { seed: -1 }, 'expected seed to be an integer of at least 0, got -1'],
    ];
    for (const [input, options, message] of cases) expect(() => parallelism(input, options)).toThrow(message);
    const repeated = { ids: [1, 1], probabilities: [0.5, 0.5] };
    expect(() => parallelism({ ...chain, steps: [repeated, repeated, repeated] })).toThrow(
      'expected step 0 to name each id once, got repeats',
    );
    const without = { tokens: [1], referenceLatents: [] };
    expect(() => parallelism({ ...chain, paths: [without, without] })).toThrow(
      'path 0 to have reference latents',
    );
  });
});

describe('tokenSpans', () => {
  it('cuts 7 tokens into 2, 2, 3 and 2 tokens into 0, 1, 1', () => {
    const lengths = (count: number) => tokenSpans(Array(count).fill(0), 3).map((span) => span.length);
    expect(lengths(7)).toEqual(golden.spans['7_tokens_in_3']);
    expect(lengths(2)).toEqual(golden.spans['2_tokens_in_3']);
  });

  it('keeps every token in order, in parts that differ by at most 1', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 20 }), fc.integer({ min: 1, max: 8 }), (tokens, parts) => {
        const spans = tokenSpans(tokens, parts);
        expect(spans.flat()).toEqual(tokens);
        const lengths = spans.map((span) => span.length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }),
    );
    expect(() => tokenSpans([1], 0)).toThrow(
      'tokenSpans: expected parts to be an integer of at least 1, got 0',
    );
  });
});

describe('greedyAlignment', () => {
  it('gives each step the nearest reference that is still free, by either distance', () => {
    golden.reference_latents.forEach((references, i) => {
      expect(greedyAlignment(golden.candidate_latents, references)).toEqual(golden.assignments[i]);
    });
    // By angle the first reference is nearest to (1, 0); by distance the second.
    expect(
      greedyAlignment(
        [[1, 0]],
        [
          [9, 0],
          [1, 1],
        ],
      ),
    ).toEqual([0]);
    expect(
      greedyAlignment(
        [
          [1, 0],
          [1, 0],
        ],
        [
          [9, 0],
          [1, 1],
        ],
        'euclidean',
      ),
    ).toEqual([1, 0]);
  });

  it('refuses other widths and, under the cosine, zero vectors', () => {
    expect(() => greedyAlignment([[1, 0]], [[1]])).toThrow('expected references to have rows of 2, got 1');
    expect(() => greedyAlignment([[0, 0]], [[1, 0]])).toThrow('expected vectors other than zero');
  });
});

describe('distinctPaths', () => {
  it('drops repeats, white space and case aside', () => {
    expect(distinctPaths(['a = 1\nb = 2', ' A = 1  b = 2', 'b = 2'])).toEqual([0, 2]);
  });
});
