import { attentionMask, embedding, gatherRows, selectRows } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  causalRanges,
  decodeFlops,
  decoderStates,
  disposeParameters,
  type Generation,
  type GenerationSettings,
  generate,
  initialLora,
  initialWeights,
  inputTable,
  type LoraShape,
  type ModelConfig,
  mixtureFlops,
  outputTable,
  type PassCounts,
  parametersFrom,
  passFlops,
  peakRssBytes,
  positionTable,
  readStates,
  visiblePairs,
  withAdapter,
} from '../src/index.js';
import { countedProducts } from './counted-products.js';
import { tinyConfig } from './tiny-model.js';

const gpt2: ModelConfig = {
  ...tinyConfig,
  architecture: 'gpt2',
  ropeBase: null,
  keyValueHeads: 4,
  headWidth: 2,
};
const configs: readonly (readonly [string, ModelConfig])[] = [
  ['llama', { ...tinyConfig, layers: 3 }],
  ['llama with a tied head', { ...tinyConfig, tiedEmbeddings: true }],
  ['qwen2', { ...tinyConfig, architecture: 'qwen2' }],
  ['qwen3', { ...tinyConfig, architecture: 'qwen3' }],
  ['gpt2', gpt2],
];

const [BATCH, LENGTH, HEAD_ROWS] = [2, 5, 3];
// the composition of attention computes every pair, seen or not
const dense = { tokens: BATCH * LENGTH, pairs: BATCH * LENGTH * LENGTH, headRows: HEAD_ROWS };

const adapters: readonly (readonly [string, LoraShape])[] = [
  ['queries', { rank: 2, targets: ['q_proj'] }],
  ['values', { rank: 3, targets: ['v_proj', 'k_proj'] }],
  ['the last map of a layer', { rank: 1, targets: ['down_proj'] }],
  ['the feed-forward part', { rank: 2, targets: ['up_proj'] }],
  ['everything', { rank: 2, targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'] }],
  [
    'everything, with dropout',
    { rank: 2, targets: ['q_proj', 'o_proj', 'up_proj', 'down_proj'], dropout: 0.3 },
  ],
  ['the input table', { rank: 2, targets: ['embed_tokens', 'o_proj'] }],
];

/** Runs a pass, forward and backward, and counts what its products cost. */
async function counted(config: ModelConfig, counts: PassCounts) {
  const base = parametersFrom(initialWeights(config, 1, { deviation: 0.1 }));
  const { trained, lora, inputsTrained } = counts;
  const adapter = parametersFrom(lora ? initialLora(config, { ...lora, alpha: 1 }, 1, 'costs') : new Map());
  const scale = tf.scalar(1);
  const ranges = causalRanges([LENGTH, LENGTH - 1], LENGTH);
  const mask = attentionMask(ranges, { batch: BATCH, queries: LENGTH, keys: LENGTH });
  const positions = positionTable(
    config,
    Int32Array.from({ length: BATCH * LENGTH }, (_, i) => i % LENGTH),
    [BATCH, LENGTH],
  );
  const ids = tf.range(0, BATCH * LENGTH, 1, 'int32') as tf.Tensor1D;
  const rows = selectRows([0, 4, 7], BATCH * LENGTH);
  const given = tf.ones<tf.Rank.R2>([BATCH * LENGTH, config.width]);
  const forward = (inputs: tf.Tensor2D | null) => {
    const parameters = lora ? withAdapter(base, adapter, scale) : base;
    const words = inputs ?? embedding(inputTable(parameters), ids);
    const pass = {
      config,
      parameters,
      inputs: tf.reshape<tf.Rank.R3>(words, [BATCH, LENGTH, config.width]),
      positions,
      mask,
      ...(counts.checkpoint && { checkpoint: true }),
      ...(lora?.dropout && { dropout: { rate: lora.dropout, seed: 1, label: 'costs', step: 0 } }),
    };
    const read = counts.read
      ? readStates(pass, rows)
      : gatherRows(tf.reshape(decoderStates(pass), [BATCH * LENGTH, config.width]), rows);
    return tf.sum<tf.Scalar>(tf.square(tf.matMul(read, outputTable(config, parameters), false, true)));
  };
  const inputs = inputsTrained ? given : null;
  const learned = [
    ...(trained === 'full' ? base.values() : []),
    ...(trained === 'lora' ? adapter.values() : []),
    ...(inputs ? [inputs] : []),
  ];
  const forwardFlops = await countedProducts(() => forward(inputs).dispose());
  const all =
    learned.length === 0
      ? forwardFlops
      : await countedProducts(() => {
          const gradients = tf.grads((...tensors: tf.Tensor[]) =>
            forward(inputs && (tensors.at(-1) as tf.Tensor2D)),
          )(learned, tf.scalar(1));
          tf.dispose(gradients);
        });
  for (const part of [mask, positions, rows]) part.dispose();
  tf.dispose([scale, ids, given]);
  for (const parameters of [base, adapter]) disposeParameters(parameters);
  return { forward: forwardFlops, backward: all - forwardFlops };
}

describe('passFlops', () => {
  beforeAll(async () => {
    await selectEngine('cpu');
  });

  describe.each(configs)('counts the products of %s', (_name, config) => {
    it.each(['none', 'full'] as const)('with %s trained', async (trained) => {
      expect(await counted(config, { ...dense, trained })).toEqual(passFlops(config, { ...dense, trained }));
    });

    it.each(adapters)('with adapters on %s', async (_maps, lora) => {
      for (const trained of ['none', 'lora'] as const) {
        const counts = { ...dense, trained, lora };
        expect(await counted(config, counts), trained).toEqual(passFlops(config, counts));
      }
    });

    it('with gradients that only pass through', async () => {
      const frozen = { ...dense, trained: 'none', inputsTrained: true } as const;
      expect(await counted(config, frozen)).toEqual(passFlops(config, frozen));
      const lora: LoraShape = { rank: 2, targets: ['q_proj', 'down_proj'] };
      const adapted = { ...frozen, trained: 'lora', lora } as const;
      expect(await counted(config, adapted)).toEqual(passFlops(config, adapted));
    });

    it('with a last layer of the rows that are read', async () => {
      const read = { rows: HEAD_ROWS, pairs: dense.pairs };
      const lora: LoraShape = { rank: 2, targets: ['k_proj', 'o_proj', 'up_proj'] };
      for (const counts of [
        { ...dense, read, trained: 'full' },
        { ...dense, read, trained: 'full', checkpoint: true },
        { ...dense, read, trained: 'lora', lora },
        { ...dense, read, trained: 'none', inputsTrained: true },
      ] as const) {
        expect(await counted(config, counts)).toEqual(passFlops(config, counts));
      }
    });

    it('with layers computed again', async () => {
      const full = { ...dense, trained: 'full', checkpoint: true } as const;
      expect(await counted(config, full)).toEqual(passFlops(config, full));
      const lora: LoraShape = { rank: 2, targets: ['v_proj', 'up_proj'] };
      const adapted = { ...dense, trained: 'lora', lora, checkpoint: true } as const;
      expect(await counted(config, adapted)).toEqual(passFlops(config, adapted));
      const frozen = { ...dense, trained: 'none', checkpoint: true } as const;
      expect(await counted(config, frozen)).toEqual(passFlops(config, frozen));
    });
  });

  it('is what a hand counts on a model of one layer', () => {
    const config: ModelConfig = { ...tinyConfig, layers: 1 };
    // D 8, H d 16, G d 8, F 6, V 11; T 5 tokens, P 15 pairs, R 2 head rows
    const linear = 2 * 5 * (8 * 16 + 8 * 8 + 8 * 8 + 16 * 8 + 8 * 6 + 8 * 6 + 6 * 8);
    const attention = 2 * (2 * 15 * 16);
    const head = 2 * 2 * 8 * 11;
    const counts = { tokens: 5, pairs: 15, headRows: 2 } as const;
    expect(passFlops(config, { ...counts, trained: 'full' })).toEqual({
      forward: linear + attention + head,
      backward: 2 * (linear + attention + head),
    });
    // all of it over one row of 3 pairs but for keys and values
    const alone = 2 * 5 * (8 * 8 + 8 * 8) + 2 * 1 * (8 * 16 + 16 * 8 + 8 * 6 + 8 * 6 + 6 * 8);
    expect(passFlops(config, { ...counts, read: { rows: 1, pairs: 3 }, trained: 'none' }).forward).toBe(
      alone + 2 * (2 * 3 * 16) + head,
    );
    // of rank 1 on the values of the only layer: from the head down to the values, and nothing else
    const lora: LoraShape = { rank: 1, targets: ['v_proj'] };
    const through = 2 * 5 * (16 * 8 + 8 * 6 + 8 * 6 + 6 * 8);
    expect(passFlops(config, { ...counts, trained: 'lora', lora })).toEqual({
      forward: linear + 2 * 5 * (8 + 8) + attention + head,
      backward: head + through + attention + 2 * 5 * (2 * 8 + 8),
    });
  });

  it('agrees with 6 x weights x tokens where attention is small', () => {
    const config = { ...tinyConfig, width: 512, layers: 8, feedForwardWidth: 1536, vocabularySize: 32000 };
    const { forward, backward } = passFlops(config, {
      ...{ tokens: 1000, pairs: 0, headRows: 1000, trained: 'full' },
    });
    const weights = 8 * (512 * (16 + 8 + 8 + 16) + 3 * 512 * 1536) + 512 * 32000;
    expect(forward + backward).toBe(6 * weights * 1000);
  });

  it('refuses what cannot be counted', () => {
    const counts = { tokens: 1, pairs: 1, headRows: 1 } as const;
    const lora: LoraShape = { rank: 2, targets: ['q_proj'] };
    expect(() => passFlops(tinyConfig, { ...counts, tokens: -1, trained: 'none' })).toThrow(
      'passFlops: expected tokens to be a whole number >= 0, got -1',
    );
    const read = { rows: 2, pairs: 1 };
    expect(() => passFlops(tinyConfig, { ...counts, read, trained: 'none' })).toThrow(
      'passFlops: expected at most 1 rows that are read, got 2',
    );
    expect(() =>
      passFlops(tinyConfig, { ...counts, read: { rows: 1, pairs: 0.5 }, trained: 'none' }),
    ).toThrow('passFlops: expected read.pairs to be a whole number >= 0, got 0.5');
    expect(() => passFlops(tinyConfig, { ...counts, trained: 'lora' })).toThrow(
      'passFlops: expected the adapters that are trained, got none',
    );
    expect(() => passFlops(tinyConfig, { ...counts, trained: 'full', lora })).toThrow(
      'passFlops: expected no adapters where the whole model is trained, got some',
    );
    expect(() => passFlops(tinyConfig, { ...counts, trained: 'lora', lora: { ...lora, rank: 0.5 } })).toThrow(
      'passFlops: expected a rank that is a whole number >= 1, got 0.5',
    );
  });
});

describe('decodeFlops', () => {
  it('is the sum of its passes', () => {
    const pass = (tokens: number, pairs: number) =>
      passFlops(tinyConfig, { tokens, pairs, headRows: 1, trained: 'none' }).forward;
    expect(decodeFlops(tinyConfig, { promptTokens: 4, steps: 3, latents: 2, words: 5 })).toEqual({
      prefill: passFlops(tinyConfig, {
        ...{ tokens: 4, pairs: 10, read: { rows: 1, pairs: 4 }, headRows: 1, trained: 'none' },
      }).forward,
      steps: pass(1, 5) + pass(1, 6) + pass(1, 7) + 2 * (2 * 5 * 8),
    });
  });

  it('leaves out the head where the next input is known', () => {
    const all = decodeFlops(tinyConfig, { promptTokens: 4, steps: 3 });
    const some = decodeFlops(tinyConfig, { promptTokens: 4, steps: 3, foreknown: 2 });
    expect(some).toEqual({ prefill: all.prefill, steps: all.steps - 2 * (2 * 8 * 11) });
  });

  it.each([
    ['latents', { mode: 'latent' }, { promptTokens: 5, steps: 3 + 3 + 3, foreknown: 2, latents: 3 }],
    ['no reasoning', { mode: 'direct' }, { promptTokens: 5 + 3, steps: 3 }],
    ['a chain', { mode: 'chain' }, { promptTokens: 5, steps: 3 }],
    [
      'top 2',
      { mode: 'latent', support: 2 },
      { promptTokens: 5, steps: 9, foreknown: 2, latents: 3, words: 2 },
    ],
  ] as const)('is what decoding one row computes: %s', async (_, { mode, ...how }, counts) => {
    await selectEngine('cpu');
    const parameters = parametersFrom(initialWeights(tinyConfig, 1, { deviation: 0.1 }));
    const support = 'support' in how ? how.support : ('full' as const);
    const settings: GenerationSettings = {
      ...{ mode, end: [9, 9, 9], eos: -1, maxLatents: 3, maxTokens: 4 },
      mixture: { support, temperature: 1 },
      sampling: { kind: 'greedy' },
      traceSize: 0,
    };
    let generation: Generation | undefined;
    const flops = await countedProducts(() => {
      [generation] = generate(tinyConfig, parameters, [{ prompt: [1, 2, 3, 4, 5] }], settings);
    });
    disposeParameters(parameters);
    expect(generation!.latentCount).toBe(mode === 'latent' ? 3 : 0);
    expect(generation!.tokens).toHaveLength(4);
    const { prefill, steps } = decodeFlops(tinyConfig, counts);
    // the composition of attention computes every pair of the prompt, seen or not; the last row sees all
    const read = { rows: 0, pairs: 0 };
    const { promptTokens: P } = counts;
    const unseen = passFlops(tinyConfig, {
      ...{ tokens: 0, headRows: 0, trained: 'none', pairs: P * P - (P * (P + 1)) / 2, read },
    });
    expect(flops).toBe(prefill + steps + unseen.forward);
  });

  it('counts an adapter on the input table once', () => {
    const lora: LoraShape = { rank: 2, targets: ['embed_tokens'] };
    const plain = decodeFlops(tinyConfig, { promptTokens: 4, steps: 3 });
    const adapted = decodeFlops(tinyConfig, { promptTokens: 4, steps: 3, lora });
    expect(adapted).toEqual({ prefill: plain.prefill + 2 * 11 * 2 * 8, steps: plain.steps });
  });

  it('refuses what cannot be counted', () => {
    expect(() => decodeFlops(tinyConfig, { promptTokens: 1.5, steps: 3 })).toThrow(
      'decodeFlops: expected promptTokens to be a whole number >= 0, got 1.5',
    );
    expect(() => decodeFlops(tinyConfig, { promptTokens: 1, steps: 3, latents: 4 })).toThrow(
      'decodeFlops: expected at most 3 latents, got 4',
    );
  });
});

it('mixtureFlops counts the mixing of words, forward and for what carries gradients', () => {
  const counts = { latents: 3, words: 10, weightsTrained: true, tableTrained: false };
  expect(mixtureFlops(tinyConfig, counts)).toEqual({ forward: 480, backward: 480 });
  expect(mixtureFlops(tinyConfig, { ...counts, tableTrained: true }).backward).toBe(960);
});

describe('visiblePairs', () => {
  it('adds up the ranges of every query', () => {
    expect(visiblePairs(causalRanges([3, 2], 3))).toBe(6 + 3);
    expect(visiblePairs(Int32Array.of(0, 2, 4, 9, 0, 0))).toBe(7);
    expect(visiblePairs(causalRanges([3, 2], 3), [2, 3])).toBe(3 + 1);
  });

  it('refuses half a range', () => {
    expect(() => visiblePairs(Int32Array.of(0, 2, 4))).toThrow(
      'visiblePairs: expected pairs of limits, got 3 numbers',
    );
  });
});

describe.skipIf(process.platform !== 'linux')('peakRssBytes', () => {
  it('does not fall when memory is given back', () => {
    let held: Float64Array | null = new Float64Array(1e7).fill(1);
    const peak = peakRssBytes()!;
    expect(peak).toBeGreaterThan(held.byteLength);
    expect(peak).toBeGreaterThanOrEqual(process.memoryUsage.rss() / 2);
    held = null;
    expect(peakRssBytes()).toBeGreaterThanOrEqual(peak);
  });
});
