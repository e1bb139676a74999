import { randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type MixtureSettings, shapeNoise, vocabularyMixture } from '../src/index.js';
import { expectClose } from './close.js';
import { FULL, GUMBEL, NOISY, STATE, TABLE, TOP_1, TOP_3, TOP_3_COLD } from './golden.js';
import { referenceMixture } from './reference-mixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

interface MixtureNumbers {
  readonly alpha: number[];
  readonly ids: number[] | null;
  readonly latents: number[];
}

/** A mixture's numbers on the host; every tensor is disposed. */
function mix(
  states: readonly (readonly number[])[],
  tables: { readonly readout: number[][]; readonly table: number[][] },
  settings: MixtureSettings,
  noise: Float32Array | null = null,
): MixtureNumbers {
  let numbers: MixtureNumbers;
  tf.tidy(() => {
    const { alpha, ids, latents } = vocabularyMixture(
      tf.tensor2d(states.map((state) => [...state])),
      tf.tensor2d(tables.readout),
      tf.tensor2d(tables.table),
      settings,
      noise,
    );
    numbers = {
      alpha: [...alpha.dataSync()],
      ids: ids && [...ids.dataSync()],
      latents: [...latents.dataSync()],
    };
  });
  return numbers!;
}

const tied = { readout: TABLE, table: TABLE };

const someNumbers = (seed: number, label: string, rows: number, columns: number): number[][] => {
  const draws = randomStream(seed, label).normal(rows * columns);
  return Array.from({ length: rows }, (_, row) => [...draws.slice(row * columns, (row + 1) * columns)]);
};

describe.each(['cpu', 'auto'] as const)('golden numbers on the engine %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  it('full vocabulary', () => {
    const { alpha, ids, latents } = mix([STATE], tied, { support: 'full', temperature: 1 });
    expectClose(alpha, FULL.alpha);
    expectClose(latents, FULL.latent);
    expect(ids).toBeNull();
  });

  it('top 3, at temperature 1 and 0.5, and top 1', () => {
    const top3 = mix([STATE], tied, { support: 3, temperature: 1 });
    expect(top3.ids).toEqual(TOP_3.ids);
    expectClose(top3.alpha, TOP_3.alpha);
    expectClose(top3.latents, TOP_3.latent);
    const cold = mix([STATE], tied, { support: 3, temperature: 0.5 });
    expectClose(cold.alpha, TOP_3_COLD.alpha);
    expectClose(cold.latents, TOP_3_COLD.latent);
    const top1 = mix([STATE], tied, { support: 1, temperature: 1 });
    expect(top1.ids).toEqual(TOP_1.ids);
    expectClose(top1.alpha, TOP_1.alpha);
    expectClose(top1.latents, TOP_1.latent);
  });

  it.each(NOISY)('top 3 under $variant noise of scale $scale at temperature $temperature', (noisy) => {
    const noise = shapeNoise(noisy, Float32Array.from(GUMBEL));
    const { alpha, ids } = mix([STATE], tied, { support: 3, temperature: noisy.temperature }, noise);
    expectClose(alpha, noisy.alpha);
    expect(ids).toEqual(TOP_3.ids);
  });
});

describe('vocabularyMixture', () => {
  beforeAll(async () => {
    await selectEngine('cpu');
  });

  it('equals the definition for any sizes, supports, temperatures, exclusions and noise', () => {
    const sizes = fc.record({
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 4 }),
      vocabulary: fc.integer({ min: 3, max: 9 }),
      width: fc.integer({ min: 1, max: 5 }),
      support: fc.oneof(fc.constant('full' as const), fc.integer({ min: 1, max: 10 })),
      temperature: fc.double({ min: 0.3, max: 3, noNaN: true }),
      excluded: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 2 }),
      noisy: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, ({ seed, count, vocabulary, width, support, temperature, excluded, noisy }) => {
        const states = someNumbers(seed, 'states', count, width);
        const readout = someNumbers(seed, 'readout', vocabulary, width);
        const table = someNumbers(seed, 'table', vocabulary, width);
        const weights = support === 'full' ? vocabulary : Math.min(support, vocabulary);
        const noise = noisy ? randomStream(seed, 'noise').gumbel(count * weights) : null;
        const settings = { support, temperature, excluded };
        const got = mix(states, { readout, table }, settings, noise);
        const expected = states.map((state, row) =>
          referenceMixture(
            state,
            { readout, table },
            settings,
            noise?.slice(row * weights, (row + 1) * weights),
          ),
        );
        expectClose(
          got.alpha,
          expected.flatMap(({ alpha }) => alpha),
        );
        expectClose(
          got.latents,
          expected.flatMap(({ latent }) => latent),
        );
        if (weights === vocabulary) expect(got.ids).toBeNull();
        else expect(got.ids).toEqual(expected.flatMap(({ ids }) => ids));
      }),
      { numRuns: 60 },
    );
  });

  it('gives excluded tokens no mass and never lets them lead, even where the support must hold them', () => {
    for (const support of ['full', 1, 3, 5] as const) {
      // Token 3 would lead and token 0 come second.
      const { alpha, ids } = mix([STATE], tied, { support, temperature: 1, excluded: [3, 0] });
      const tokens = ids ?? [0, 1, 2, 3, 4, 5];
      const massOf = (token: number) => alpha[tokens.indexOf(token)] ?? 0;
      expect([massOf(3), massOf(0)]).toEqual([0, 0]);
      expect(tokens[alpha.indexOf(Math.max(...alpha))]).toBe(4);
      expect(alpha.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
    }
  });

  it.each([
    ['full', 1, null],
    ['full', 0.7, [5]],
    [3, 1.6, null],
    [5, 1, [3, 0]],
  ] as const)(
    'has the exact gradient to the states: support %s, temperature %d, excluded %s',
    (support, temperature, excluded) => {
      const settings = { support, temperature, excluded: excluded ?? [] };
      const readout = someNumbers(3, 'readout', 6, 3);
      const table = someNumbers(3, 'table', 6, 3);
      const states = someNumbers(3, 'states', 2, 3);
      const slope = someNumbers(3, 'slope', 2, 3);
      const noise = randomStream(3, 'noise').gumbel(2 * (support === 'full' ? 6 : support));
      const loss = (rows: readonly (readonly number[])[]) =>
        rows.reduce((sum, state, row) => {
          const { latent } = referenceMixture(
            state,
            { readout, table },
            settings,
            noise.slice((row * noise.length) / 2, ((row + 1) * noise.length) / 2),
          );
          return sum + latent.reduce((part, z, axis) => part + z * slope[row]![axis]!, 0);
        }, 0);
      const step = 1e-5;
      const expected = states.flatMap((state, row) =>
        state.map((x, axis) => {
          const moved = (to: number) => states.map((other, i) => (i === row ? other.with(axis, to) : other));
          return (loss(moved(x + step)) - loss(moved(x - step))) / (2 * step);
        }),
      );
      tf.tidy(() => {
        const [toStates, toReadout, toTable] = tf.grads((h, w, e) => {
          const { latents } = vocabularyMixture(
            h as tf.Tensor2D,
            w as tf.Tensor2D,
            e as tf.Tensor2D,
            settings,
            noise,
          );
          // What the tables get comes from the terms beside the latents alone.
          const beside = tf.add(tf.sum(w!), tf.mul(2, tf.sum(e!)));
          return tf.add(tf.sum(tf.mul(latents, tf.tensor2d(slope))), beside);
        })([tf.tensor2d(states), tf.tensor2d(readout), tf.tensor2d(table)]);
        expectClose(toStates!.dataSync(), expected, 2e-5);
        expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
        expect([...toReadout!.dataSync()].every((x) => x === 1)).toBe(true);
        expect([...toTable!.dataSync()].every((x) => x === 2)).toBe(true);
      });
    },
  );

  it('leaves the tensors of its result and no others', () => {
    const states = tf.tensor2d([STATE]);
    const table = tf.tensor2d(TABLE);
    for (const [support, owned] of [
      ['full', 2],
      [3, 3],
    ] as const) {
      const before = countTensors();
      const { alpha, ids, latents } = vocabularyMixture(states, table, table, {
        support,
        temperature: 2,
        excluded: [1],
      });
      expect(countTensors()).toBe(before + owned);
      tf.dispose([alpha, latents, ...(ids ? [ids] : [])]);
      expect(countTensors()).toBe(before);
    }
    tf.dispose([states, table]);
  });

  it('refuses a temperature, a support or noise that does not fit', () => {
    const run = (settings: MixtureSettings, noise: Float32Array | null = null) => {
      return () => mix([STATE], tied, settings, noise);
    };
    expect(run({ support: 'full', temperature: 0 })).toThrow(
      'vocabularyMixture: expected a temperature above 0, got 0',
    );
    for (const support of [0, 2.5, -1]) {
      expect(run({ support, temperature: 1 })).toThrow(
        `vocabularyMixture: expected support 'full' or a whole number from 1 on, got ${support}`,
      );
    }
    expect(run({ support: 3, temperature: 1 }, new Float32Array(6))).toThrow(
      'vocabularyMixture: expected noise for 1 x 3 weights, got 6 numbers',
    );
  });
});
