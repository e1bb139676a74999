import {
  type Batch,
  type ExampleRows,
  exampleRows,
  neededRows,
  packBatch,
  type RowSettings,
} from '@latent-sft/data';
import { initialWeights, type ModelConfig, type Parameters, parametersFrom } from '@latent-sft/model';
import { randomDraws, randomStream } from '@latent-sft/random';
import {
  chainLayout,
  decoderLayout,
  type ExampleTokens,
  encoderLayout,
  sizesOf,
  studentLayout,
} from '@latent-sft/segmentation';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  chainLoss,
  deviceBatch,
  encodeLatents,
  type LatentHead,
  type Loss,
  stageOneLoss,
  studentLoss,
} from '../src/index.js';

const config: ModelConfig = {
  architecture: 'llama',
  vocabularySize: 13,
  width: 8,
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  headWidth: 4,
  feedForwardWidth: 10,
  ropeBase: 50,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  maxPositions: 64,
};
const COMPRESS = 12;

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');
const tensorsBefore = countTensors();
const encoder: Parameters = parametersFrom(initialWeights(config, 1, { deviation: 0.4 }));
const decoder: Parameters = parametersFrom(initialWeights(config, 2, { deviation: 0.4 }));
afterAll(() => {
  tf.dispose([...encoder.values(), ...decoder.values()]);
  expect(countTensors()).toBe(tensorsBefore);
});

/** An example of random sizes and words. */
function exampleOf(seed: number, number: number): ExampleTokens {
  const random = randomDraws(seed, number);
  const words = (count: number) => Array.from({ length: count }, () => random.integer(COMPRESS));
  return {
    prompt: words(1 + random.integer(3)),
    think: words(1 + random.integer(2)),
    segments: Array.from({ length: 1 + random.integer(4) }, () => words(1 + random.integer(3))),
    end: words(1 + random.integer(2)),
    answer: words(1 + random.integer(3)),
  };
}

const packs = fc.record({
  seed: fc.nat(),
  examples: fc.integer({ min: 1, max: 5 }),
  /** One row for all of them, or rows that hold one or two. */
  oneRow: fc.boolean(),
});

/** Packs the rows that are needed: what is computed one by one is computed of all of them. */
function pack(
  examples: readonly ExampleRows[],
  oneRow: boolean,
  mean: 'token' | 'example' = 'example',
): Batch {
  const items = examples.map(neededRows);
  const total = items.reduce((sum, { length }) => sum + length, 0);
  const longest = Math.max(...items.map(({ length }) => length));
  return packBatch(items, { length: oneRow ? total + 2 : longest + 4, mean });
}

const numbersOf = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

/** A loss over packed batches as a number; every tensor is disposed. */
function lossOver(
  batches: readonly Batch[],
  lossOf: (...on: ReturnType<typeof deviceBatch>[]) => Loss,
): number {
  const onDevice = batches.map((batch) => deviceBatch(batch, config));
  const loss = tf.tidy(() => lossOf(...onDevice).loss);
  const [value] = numbersOf(loss);
  loss.dispose();
  for (const batch of onDevice) batch.dispose();
  return value!;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Packed, and one by one, to 1e-5 of the size of the loss. */
function expectSame(packed: number, alone: number): void {
  expect(Math.abs(packed - alone), `${packed} packed, ${alone} alone`).toBeLessThan(
    1e-5 * Math.max(1, alone),
  );
}

describe('packed examples give what they give one by one', () => {
  it('written chains, with segments and without', () => {
    fc.assert(
      fc.property(packs, fc.boolean(), ({ seed, examples, oneRow }, direct) => {
        const items = Array.from({ length: examples }, (_, number) => {
          const example = exampleOf(seed, number);
          const shown = direct ? { ...example, segments: [] } : example;
          return exampleRows(chainLayout(sizesOf(shown)), shown, { mask: 'causal', latentId: 0 });
        });
        const loss = (batch: Batch) => lossOver([batch], (on) => chainLoss(config, decoder, on!));
        const alone = items.map((item) => loss(packBatch([item])));
        expectSame(loss(pack(items, oneRow)), meanOf(alone));
        const targets = items.map((item) => item.targets.length);
        const perToken = alone.reduce((sum, one, i) => sum + one * targets[i]!, 0);
        expectSame(loss(pack(items, oneRow, 'token')), perToken / targets.reduce((a, b) => a + b, 0));
      }),
      { numRuns: 15 },
    );
  });

  it.each(['ltim', 'causal'] as const)("an encoder's latents under %s", (mask) => {
    fc.assert(
      fc.property(packs, fc.constantFrom('full' as const, 3), ({ seed, examples, oneRow }, support) => {
        const items = Array.from({ length: examples }, (_, number) => {
          const example = exampleOf(seed, number);
          return exampleRows(encoderLayout(sizesOf(example)), example, { mask, latentId: COMPRESS });
        });
        const head: LatentHead = { support, temperature: 2, readout: 'lm-head' };
        const latents = (batch: Batch) => {
          const on = deviceBatch(batch, config);
          const made = encodeLatents(config, encoder, decoder, on, head, null);
          const numbers = numbersOf(made.latents);
          tf.dispose([made.alpha, made.latents, ...(made.ids ? [made.ids] : [])]);
          on.dispose();
          return numbers;
        };
        const alone = items.flatMap((item) => latents(packBatch([item])));
        const packed = latents(pack(items, oneRow));
        expect(packed.length).toBe(alone.length);
        packed.forEach((z, i) => {
          expect(Math.abs(z - alone[i]!)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 12 },
    );
  });

  it.each([
    ['token-mean', {}],
    ['suffix-mean', { segmentContext: 'latent+prompt' }],
    ['chunk-mean', { segmentContext: 'latent+bos', answerSeesLastLatent: false }],
    ['strict-suffix', {}],
  ] as const)('stage 1, encoder and decoder together, reading %s', (reading, maskOptions) => {
    const tails = reading === 'strict-suffix' ? 'strict-suffix' : 'next-segment';
    const head: LatentHead = { support: 'full', temperature: 1.5, readout: 'input-table' };
    fc.assert(
      fc.property(packs, ({ seed, examples, oneRow }) => {
        const items = Array.from({ length: examples }, (_, number) => {
          const example = exampleOf(seed, number);
          const settings: RowSettings = { mask: 'ltsum', maskOptions, reading, latentId: 0 };
          return {
            encoder: exampleRows(encoderLayout(sizesOf(example)), example, {
              mask: 'ltim',
              latentId: COMPRESS,
            }),
            decoder: exampleRows(decoderLayout(sizesOf(example), { tails }), example, settings),
          };
        });
        const loss = (...batches: [Batch, Batch]) =>
          lossOver(batches, (left, right) =>
            stageOneLoss(config, { encoder, decoder }, { encoder: left!, decoder: right! }, head, null),
          );
        const alone = items.map((item) => loss(packBatch([item.encoder]), packBatch([item.decoder])));
        const packed = loss(
          pack(
            items.map((item) => item.encoder),
            oneRow,
          ),
          pack(
            items.map((item) => item.decoder),
            oneRow,
          ),
        );
        expectSame(packed, meanOf(alone));
      }),
      { numRuns: 8 },
    );
  });

  it.each(['full', 'sparse'] as const)('stage 2, KL with %s labels and cross-entropy', (support) => {
    const width = support === 'full' ? config.vocabularySize : 3;
    const settings = { temperature: 1.5, support, klWeight: 1, ceWeight: 0.5 };
    /** Labels of one example, rows that sum to 1. */
    const labelsOf = (seed: number, number: number, latents: number) => {
      const alpha = Array.from({ length: latents }, (_, slot) => {
        const shares = [...randomStream(seed, `label/${number}`, slot).uniform(width)];
        const total = shares.reduce((sum, share) => sum + share, 0);
        return shares.map((share) => share / total);
      });
      const ids = alpha.map((_, slot) =>
        [...randomStream(seed, `ids/${number}`, slot).permutation(config.vocabularySize)].slice(0, width),
      );
      return { alpha, ids };
    };
    fc.assert(
      fc.property(packs, ({ seed, examples, oneRow }) => {
        const items = Array.from({ length: examples }, (_, number) => {
          const example = exampleOf(seed, number);
          const rows = exampleRows(studentLayout(sizesOf(example)), example, { mask: 'causal', latentId: 0 });
          return { rows, labels: labelsOf(seed, number, example.segments.length) };
        });
        const loss = (batch: Batch, labels: readonly ReturnType<typeof labelsOf>[]) =>
          lossOver([batch], (on) => {
            const alpha = tf.tensor2d(labels.flatMap((label) => label.alpha));
            const ids = tf.tensor2d(
              labels.flatMap((label) => label.ids),
              undefined,
              'int32',
            );
            const slots = { alpha, ids: support === 'full' ? null : ids, weights: on!.latentWeights };
            return studentLoss(config, decoder, on!, slots, 'joint', settings);
          });
        const alone = items.map(({ rows, labels }) => loss(packBatch([rows]), [labels]));
        const packed = loss(
          pack(
            items.map(({ rows }) => rows),
            oneRow,
          ),
          items.map(({ labels }) => labels),
        );
        expectSame(packed, meanOf(alone));
      }),
      { numRuns: 10 },
    );
  });
});
