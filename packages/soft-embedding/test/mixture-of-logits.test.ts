import { randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mixtureOfLogits, type VocabularyMixture, vocabularyMixture } from '../src/index.js';
import { expectClose } from './close.js';
import { STATE, TABLE } from './golden.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const random = (seed: number, name: string, rows: number, columns: number) =>
  tf.tensor2d(randomStream(seed, name).normal(rows * columns), [rows, columns]);

const tensorsOf = ({ alpha, latents, ids }: VocabularyMixture) => [alpha, latents, ...(ids ? [ids] : [])];

describe.each(['cpu', 'auto'] as const)('mixtureOfLogits on the engine %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  it('equals vocabularyMixture for any sizes, supports, temperatures and exclusions', () => {
    const sizes = fc.record({
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 4 }),
      vocabulary: fc.integer({ min: 3, max: 40 }),
      support: fc.oneof(fc.constant('full' as const), fc.integer({ min: 1, max: 12 })),
      temperature: fc.constantFrom(0.5, 1, 2),
      excluded: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(sizes, ({ seed, count, vocabulary, ...settings }) => {
        tf.tidy(() => {
          const states = random(seed, 'states', count, 5);
          const readout = random(seed, 'readout', vocabulary, 5);
          const table = random(seed, 'table', vocabulary, 5);
          const expected = vocabularyMixture(states, readout, table, settings);
          const logits = tf.matMul<tf.Tensor2D>(states, readout, false, true);
          const got = mixtureOfLogits(logits, table, settings);
          expectClose(got.alpha.dataSync(), expected.alpha.dataSync());
          expectClose(got.latents.dataSync(), expected.latents.dataSync());
          // excluded tokens in a support that must hold them stand in no order
          if (settings.excluded.length > 0) return;
          expect(got.ids && [...got.ids.dataSync()]).toEqual(expected.ids && [...expected.ids.dataSync()]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the tensors of its result and no others', () => {
    const logits = tf.tensor2d([[1, 3, 2, 0, -1, 5]]);
    const table = tf.tensor2d(TABLE);
    for (const [support, owned] of [
      ['full', 2],
      [3, 3],
    ] as const) {
      const before = countTensors();
      const result = mixtureOfLogits(logits, table, { support, temperature: 2, excluded: [1] });
      expect(countTensors()).toBe(before + owned);
      tf.dispose(tensorsOf(result));
    }
    tf.dispose([logits, table]);
  });

  it('refuses a temperature or a support that does not fit', () => {
    tf.tidy(() => {
      const [logits, table] = [tf.tensor2d([[...STATE, 1]]), tf.tensor2d(TABLE)];
      expect(() => mixtureOfLogits(logits, table, { support: 'full', temperature: 0 })).toThrow(
        'mixtureOfLogits: expected a temperature above 0, got 0',
      );
      expect(() => mixtureOfLogits(logits, table, { support: 1.5, temperature: 1 })).toThrow(
        "mixtureOfLogits: expected support 'full' or a whole number from 1 on, got 1.5",
      );
    });
  });
});
