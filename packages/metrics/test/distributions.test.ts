import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cosineSimilarity,
  effectiveCompressionRate,
  effectiveRank,
  entropy,
  frechetDistance,
  meanNorm,
  medianSquaredDistance,
  mmd2,
  perplexity,
  randomPairCosine,
  singularValues,
  topCandidates,
} from '../src/index.js';
import { expectClose } from './close.js';
import { GOLDEN } from './golden-numbers.js';

const { mixture, distribution } = GOLDEN;
const { a, b } = distribution;

const coordinate = fc.integer({ min: -5, max: 5 });
const points = fc.array(fc.tuple(coordinate, coordinate, coordinate), { minLength: 3, maxLength: 8 });
/** A rotation about the third axis and a shift: distances stay. */
function moved(rows: readonly (readonly number[])[]): number[][] {
  return rows.map(([x, y, z]) => [0.6 * x! - 0.8 * y! + 3, 0.8 * x! + 0.6 * y! - 1, z! + 2]);
}

describe('entropy and perplexity', () => {
  it('equal the golden numbers', () => {
    expectClose([entropy(mixture.alpha)], [mixture.entropy_nats]);
    expectClose([perplexity(mixture.alpha)], [mixture.perplexity]);
  });

  it('are 0 and 1 for one certain token, log V and V for a uniform distribution', () => {
    expect([entropy([0, 1, 0]), perplexity([0, 1, 0])]).toEqual([0, 1]);
    expectClose([entropy(Array(8).fill(1 / 8)), perplexity(Array(8).fill(1 / 8))], [Math.log(8), 8], 1e-12);
  });

  it('refuse what is no distribution', () => {
    expect(() => entropy([0.5, 0.4])).toThrow('entropy: expected probabilities to sum to 1, got 0.9');
    expect(() => entropy([1.5, -0.5])).toThrow('finite and at least 0, got -0.5 at 1');
    expect(() => perplexity([Number.NaN])).toThrow('got NaN at 0');
    expect(() => entropy([])).toThrow('to hold numbers, got none');
  });
});

describe('topCandidates', () => {
  it('takes the likeliest, the lower id of equal ones', () => {
    expect(topCandidates(mixture.alpha, 3).ids).toEqual([3, 0, 4]);
    expect(topCandidates([0.25, 0.25, 0.25, 0.25], 2)).toEqual({ ids: [0, 1], probabilities: [0.25, 0.25] });
    expect(topCandidates([0.4, 0.6], 9).ids).toEqual([1, 0]);
  });

  it('refuses a bad count and bad probabilities', () => {
    expect(() => topCandidates([1], 0)).toThrow(
      'topCandidates: expected count to be an integer of at least 1',
    );
    expect(() => topCandidates([0.9, 0.9], 1)).toThrow('to sum to at most 1, got 1.8');
  });
});

describe('effectiveCompressionRate', () => {
  const steps = GOLDEN.parallelism.step_probabilities.map((row) => topCandidates(row, row.length));

  it('counts the tokens of a segment among the top K of its latent', () => {
    const segments = [
      [0, 1],
      [2, 7],
      [6, 6],
    ];
    expect(effectiveCompressionRate(steps, segments, 1)).toBe((1 + 1 + 2) / 3);
    expect(effectiveCompressionRate(steps, segments, 3)).toBe((2 + 1 + 2) / 3);
    expect(effectiveCompressionRate(steps, segments, 8)).toBe(2);
  });

  it('is 1 for a written chain, and never falls as K grows', () => {
    const written = [4, 2, 7].map((id) => ({ ids: [id], probabilities: [1] }));
    expect(effectiveCompressionRate(written, [[4], [2], [7]], 1)).toBe(1);
    const segment = fc.array(fc.nat(7), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.tuple(segment, segment, segment), fc.integer({ min: 1, max: 8 }), (segments, count) => {
        const rate = effectiveCompressionRate(steps, segments, count);
        expect(effectiveCompressionRate(steps, segments, count + 1)).toBeGreaterThanOrEqual(rate);
        expect(rate).toBeLessThanOrEqual(segments.flat().length / 3);
      }),
    );
  });

  it('refuses bad input', () => {
    expect(() => effectiveCompressionRate([], [], 1)).toThrow('expected at least 1 step, got none');
    expect(() => effectiveCompressionRate(steps, [[1]], 1)).toThrow('one segment a step, got 1 for 3 steps');
    expect(() => effectiveCompressionRate(steps, [[1], [1], [1]], 0)).toThrow('expected count');
    const odd = [{ ids: [1, 2], probabilities: [1] }];
    expect(() => effectiveCompressionRate(odd, [[1]], 1)).toThrow(
      'expected step 0 to have 2 probabilities, got 1',
    );
  });
});

describe('effectiveRank', () => {
  it('equals the golden numbers for diag(4, 2, 1, 1)', () => {
    const rows = [4, 2, 1, 1].map((value, i) => [0, 1, 2, 3].map((j) => (i === j ? value : 0)));
    const report = effectiveRank(singularValues(rows));
    const expected = distribution.effective_rank_diag_4_2_1_1;
    expectClose([report.singularValues], [expected.entropy_of_singular_values]);
    expectClose([report.energy, report.stable], [expected.entropy_of_energy, expected.stable_rank]);
  });

  it('takes the same singular values from tall matrices, by the Gram matrix', () => {
    const tall = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 5) - 2]);
    const wide = [0, 1, 2].map((column) => tall.map((row) => row[column]!));
    expectClose(singularValues(tall), singularValues(wide), 1e-9);
  });

  it('does not depend on scale or order, and is at most the number of values', () => {
    const spectrum = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(spectrum, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, scale) => {
        const report = effectiveRank(values);
        const other = effectiveRank(values.map((value) => value * scale).reverse());
        expectClose(Object.values(other), Object.values(report), 1e-9);
        for (const rank of Object.values(report)) {
          expect(rank).toBeGreaterThan(1 - 1e-9);
          expect(rank).toBeLessThan(values.length + 1e-9);
        }
      }),
    );
    expectClose(Object.values(effectiveRank([3, 3, 0])), [2, 2, 2], 1e-12);
  });

  it('refuses bad input', () => {
    expect(() => effectiveRank([])).toThrow('effectiveRank: expected spectrum to hold numbers, got none');
    expect(() => effectiveRank([1, -1])).toThrow('expected singular values of at least 0, got -1');
    expect(() => effectiveRank([0, 0])).toThrow('expected a singular value above 0, got none');
    expect(() => singularValues([[1, 2], [3]])).toThrow('expected rows to have rows of 2, got 1 at row 1');
    expect(() => singularValues([[1, Number.NaN]])).toThrow('to be finite, got NaN at 1');
  });
});

describe('frechetDistance', () => {
  it('equals the golden numbers with either divisor', () => {
    expectClose([frechetDistance(a, b)], [distribution.fid.cov_n_minus_1]);
    expectClose([frechetDistance(a, b, { divisor: 'n' })], [distribution.fid.cov_n]);
  });

  it('is 0 to itself, symmetric, and unchanged by a common rotation and shift', () => {
    fc.assert(
      fc.property(points, points, (first, second) => {
        // Square roots of rounding errors: singular covariances are good to about the root of machine precision.
        const distance = frechetDistance(first, second);
        expect(frechetDistance(first, first)).toBeLessThan(1e-5);
        expectClose([frechetDistance(second, first)], [distance]);
        expectClose([frechetDistance(moved(first), moved(second))], [distance]);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses one row and other widths', () => {
    expect(() => frechetDistance([[1, 2]], b)).toThrow('expected a to have at least 2 rows, got 1');
    expect(() => frechetDistance(a, [[1], [2]])).toThrow('expected b to have rows of 2, got 1');
  });
});

describe('mmd2', () => {
  it.each([
    [0.5, distribution.mmd2_exp_minus_g_d2['g=0.5']],
    [0.1, distribution.mmd2_exp_minus_g_d2['g=0.1']],
  ])('equals the golden numbers with gamma %s', (gamma, expected) => {
    expectClose(
      [mmd2(a, b, { gamma, estimator: 'biased' }), mmd2(a, b, { gamma, estimator: 'unbiased' })],
      [expected.biased, expected.unbiased],
    );
  });

  it('takes gamma from the median squared distance', () => {
    expect(medianSquaredDistance(a, b, 'lower')).toBe(distribution.pooled_squared_distance_median.lower);
    expect(medianSquaredDistance(a, b)).toBe(distribution.pooled_squared_distance_median.mid);
    expect(mmd2(a, b)).toBe(mmd2(a, b, { gamma: 1 / 12 }));
  });

  it('is symmetric, 0 to itself (biased) and unchanged by a common rotation and shift', () => {
    fc.assert(
      fc.property(points, points, (first, second) => {
        const options = { gamma: 0.1, estimator: 'biased' } as const;
        const value = mmd2(first, second, options);
        expect(value).toBeGreaterThan(-1e-12);
        expectClose([mmd2(first, first, options)], [0], 1e-12);
        expectClose([mmd2(second, first, options)], [value], 1e-12);
        expectClose([mmd2(moved(first), moved(second), options)], [value], 1e-12);
      }),
    );
  });

  it('refuses bad input', () => {
    expect(() => mmd2(a, b, { gamma: 0 })).toThrow(
      "mmd2: expected gamma to be 'median' or finite and positive, got 0",
    );
    expect(() =>
      mmd2(
        [
          [1, 1],
          [1, 1],
        ],
        [
          [1, 1],
          [1, 1],
        ],
      ),
    ).toThrow('expected a median distance above 0');
    expect(() => mmd2([[1, 1]], b)).toThrow('expected a to have at least 2 rows, got 1');
  });
});

describe('cosineSimilarity, randomPairCosine and meanNorm', () => {
  it('give the cosine of known angles and the mean length', () => {
    expectClose(
      [cosineSimilarity([3, 0], [2, 2]), cosineSimilarity([1, 2], [-2, -4])],
      [Math.SQRT1_2, -1],
      1e-12,
    );
    expect(
      meanNorm([
        [3, 4],
        [0, 1],
      ]),
    ).toBe(3);
  });

  it('draw the same pairs from the same seed', () => {
    const rows = [
      [1, 0],
      [0, 1],
    ];
    const report = randomPairCosine(rows, rows, { pairs: 4000, seed: 3 });
    expect(report).toEqual(randomPairCosine(rows, rows, { pairs: 4000, seed: 3 }));
    // Cosines are 1 or 0, equally often: four standard errors are 0.032.
    expect(Math.abs(report.mean - 0.5)).toBeLessThan(0.032);
    expect(Math.abs(report.standardDeviation - 0.5)).toBeLessThan(0.01);
  });

  it('refuse bad input', () => {
    expect(() => cosineSimilarity([0, 0], [1, 0])).toThrow('expected vectors other than zero');
    expect(() => cosineSimilarity([1], [1, 0])).toThrow('expected b to have 1 numbers, got 2');
    expect(() => randomPairCosine([[1]], [[1]], { pairs: 1 })).toThrow('expected pairs');
    expect(() => meanNorm([])).toThrow('meanNorm: expected rows to have at least 1 rows, got 0');
  });
});
