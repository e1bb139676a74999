import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chainLayout,
  decoderLayout,
  encoderLayout,
  type Layout,
  type LayoutSizes,
  labels,
  roles,
  studentLayout,
} from '../src/index.js';
import { type SupervisionReading, supervisionWeights } from '../src/supervision-weights.js';

const READINGS: readonly SupervisionReading[] = ['token-mean', 'suffix-mean', 'strict-suffix', 'chunk-mean'];

/** Three prompt tokens, `<think>`, the chain `ab cd e` at rate 2, `</think>`, two answer tokens. */
const G1: LayoutSizes = { prompt: 3, think: 1, segments: [2, 2, 1], end: 1, answer: 2 };

// Worked out by hand from the formulas, and again in exact fractions with Python; targets c, d, e, </think>, A1, A2.
const GOLDEN: readonly [SupervisionReading, boolean, readonly number[]][] = [
  ['token-mean', true, [1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6]],
  ['token-mean', false, [1 / 4, 1 / 4, 1 / 4, 1 / 4, 0, 0]],
  ['suffix-mean', false, [1 / 12, 1 / 12, 1 / 4, 7 / 12, 0, 0]],
  ['suffix-mean', true, [1 / 18, 1 / 18, 5 / 36, 1 / 4, 1 / 4, 1 / 4]],
  ['chunk-mean', false, [1 / 6, 1 / 6, 1 / 3, 1 / 3, 0, 0]],
  ['chunk-mean', true, [1 / 6, 1 / 6, 1 / 3, 1 / 9, 1 / 9, 1 / 9]],
];

function layoutFor(sizes: LayoutSizes, reading: SupervisionReading): Layout {
  return decoderLayout(sizes, { tails: reading === 'strict-suffix' ? 'strict-suffix' : 'next-segment' });
}

function atTargets(layout: Layout, weights: Float64Array): number[] {
  const isTarget = labels(layout);
  return [...weights].filter((_, row) => isTarget[row] === 1);
}

function expectClose(got: readonly number[], expected: readonly number[], tolerance = 1e-12): void {
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value} vs ${expected[i]}`).toBeLessThan(
      tolerance,
    );
  });
}

const sizes = fc.record({
  prompt: fc.integer({ min: 1, max: 5 }),
  think: fc.integer({ min: 1, max: 3 }),
  segments: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
  end: fc.integer({ min: 1, max: 3 }),
  answer: fc.integer({ min: 1, max: 4 }),
});
const anyReading = fc.constantFrom(...READINGS);

describe('supervisionWeights', () => {
  it.each(GOLDEN)('%s with answer %s equals the golden weights', (reading, answer, expected) => {
    const layout = layoutFor(G1, reading);
    expectClose(atTargets(layout, supervisionWeights(layout, reading, { answer })), expected);
  });

  it('weighs every copy of the strict-suffix reading by 1 / (N |J_i|)', () => {
    const layout = layoutFor(G1, 'strict-suffix');
    // Copies: after Z1 c d e </think> A1 A2; after Z2 e </think> A1 A2; after Z3 </think> A1 A2.
    const withAnswer = [...Array(6).fill(1 / 18), ...Array(4).fill(1 / 12), ...Array(3).fill(1 / 9)];
    expectClose(atTargets(layout, supervisionWeights(layout, 'strict-suffix')), withAnswer);
    const without = [...Array(4).fill(1 / 12), 0, 0, 1 / 6, 1 / 6, 0, 0, 1 / 3, 0, 0];
    expectClose(atTargets(layout, supervisionWeights(layout, 'strict-suffix', { answer: false })), without);
  });

  it('weighs the answer of a student or chain layout by the token mean', () => {
    const student = studentLayout(G1);
    expectClose(atTargets(student, supervisionWeights(student, 'token-mean')), [1 / 3, 1 / 3, 1 / 3]);
    const chain = chainLayout(G1);
    expectClose(atTargets(chain, supervisionWeights(chain, 'token-mean')), Array(8).fill(1 / 8));
  });

  it('sums to 1, is never negative, and is zero off target', () => {
    fc.assert(
      fc.property(sizes, anyReading, fc.boolean(), (size, reading, answer) => {
        const layout = layoutFor(size, reading);
        const weights = supervisionWeights(layout, reading, { answer });
        const isTarget = labels(layout);
        const role = roles(layout);
        expect(weights.length).toBe(layout.length);
        expectClose([weights.reduce((sum, weight) => sum + weight, 0)], [1]);
        weights.forEach((weight, row) => {
          const supervised = isTarget[row] === 1 && (answer || role[row] !== 'answer');
          expect(weight > 0).toBe(supervised);
        });
      }),
    );
  });

  it('does not depend on the prompt, the think marker or the first segment', () => {
    fc.assert(
      fc.property(sizes, sizes, anyReading, fc.boolean(), (size, other, reading, answer) => {
        const changed = {
          ...size,
          prompt: other.prompt,
          think: other.think,
          segments: [other.segments[0]!, ...size.segments.slice(1)],
        };
        const [a, b] = [size, changed].map((value) => {
          const layout = layoutFor(value, reading);
          return atTargets(layout, supervisionWeights(layout, reading, { answer }));
        });
        expectClose(a!, b!);
      }),
    );
  });

  it('makes every reading the token mean when there is one latent', () => {
    fc.assert(
      fc.property(sizes, anyReading, fc.boolean(), (size, reading, answer) => {
        const layout = layoutFor({ ...size, segments: size.segments.slice(0, 1) }, reading);
        expectClose(
          [...supervisionWeights(layout, reading, { answer })],
          [...supervisionWeights(layout, 'token-mean', { answer })],
        );
      }),
    );
  });

  it('gives a token of B the weight that its copies have together in C', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), (size, answer) => {
        const strict = layoutFor(size, 'strict-suffix');
        const copies = supervisionWeights(strict, 'strict-suffix', { answer });
        const totals = new Map<string, number>();
        for (const { role, start, length, index } of strict.spans) {
          for (let offset = 0; offset < length; offset++) {
            const token = `${role} ${index} ${offset}`;
            totals.set(token, (totals.get(token) ?? 0) + copies[start + offset]!);
          }
        }
        const single = layoutFor(size, 'suffix-mean');
        const weights = supervisionWeights(single, 'suffix-mean', { answer });
        for (const { role, start, length, index } of single.spans) {
          for (let offset = 0; offset < length; offset++) {
            expectClose([weights[start + offset]!], [totals.get(`${role} ${index} ${offset}`)!]);
          }
        }
      }),
    );
  });

  it('leaves out the empty target set of a last latent without end and answer', () => {
    const layout = decoderLayout({ ...G1, end: 0, answer: 0 });
    expectClose(atTargets(layout, supervisionWeights(layout, 'chunk-mean')), [1 / 4, 1 / 4, 1 / 2]);
    expectClose(atTargets(layout, supervisionWeights(layout, 'suffix-mean')), [1 / 6, 1 / 6, 2 / 3]);
  });

  it('refuses an unknown reading, another layout, other tails, and a layout without targets', () => {
    const decoder = decoderLayout(G1);
    expect(() => supervisionWeights(decoder, 'mean' as SupervisionReading)).toThrow('got "mean"');
    expect(() => supervisionWeights(studentLayout(G1), 'suffix-mean')).toThrow(
      'supervisionWeights: expected a decoder layout for suffix-mean, got student layout of 10 rows',
    );
    expect(() => supervisionWeights(decoder, 'strict-suffix')).toThrow(
      'supervisionWeights: expected strict-suffix tails for strict-suffix, got next-segment',
    );
    for (const reading of ['suffix-mean', 'chunk-mean'] as const) {
      expect(() => supervisionWeights(layoutFor(G1, 'strict-suffix'), reading)).toThrow(
        `expected next-segment tails for ${reading}, got strict-suffix`,
      );
    }
    expect(() => supervisionWeights(encoderLayout(G1), 'token-mean')).toThrow(
      'expected a layout with targets, got none in encoder layout',
    );
  });
});

const goldenFile = new URL('../../../../shared/golden/numeric.json', import.meta.url);

describe.skipIf(!existsSync(goldenFile))('supervisionWeights against the shared golden file', () => {
  const fractions = (texts: readonly string[]): number[] =>
    texts.map((text) => {
      const [numerator, denominator] = text.split('/').map(Number);
      return numerator! / (denominator ?? 1);
    });

  it.each([
    ['A_token_mean', 'token-mean', true],
    ['B_suffix_mean_without_answer', 'suffix-mean', false],
    ['B_suffix_mean_with_answer', 'suffix-mean', true],
    ['D_chunk_mean_without_answer', 'chunk-mean', false],
    ['D_chunk_mean_with_answer', 'chunk-mean', true],
  ] as const)('%s', (name, reading, answer) => {
    const golden = JSON.parse(readFileSync(goldenFile, 'utf8')).losses.supervision_weights_G1;
    const layout = layoutFor(G1, reading);
    const weights = atTargets(layout, supervisionWeights(layout, reading, { answer }));
    expectClose(weights, fractions(golden[name]));
  });
});
