import { randomDraws, randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  disposeParameters,
  type Generation,
  type GenerationRequest,
  type GenerationSettings,
  generate,
  type Parameters,
  parametersFrom,
} from '../src/index.js';
import { automatonConfig, automatonWeights, oneHot, WORD } from './automaton.js';
import { engines } from './engines.js';
import { referenceGeneration } from './reference-generation.js';
import { inFloat64 } from './reference-model.js';
import { tinyConfig, tinyConfigs, tinyWeights } from './tiny-model.js';

const settings: GenerationSettings = {
  mode: 'latent',
  end: [7, 8],
  eos: 10,
  maxLatents: 5,
  maxTokens: 6,
  mixture: { support: 'full', temperature: 1 },
  sampling: { kind: 'greedy' },
  traceSize: tinyConfig.vocabularySize,
};

/** Prompts of different lengths. */
const requests: GenerationRequest[] = Array.from({ length: 12 }, (_, row) => {
  const random = randomDraws(40, row);
  return { prompt: Array.from({ length: 1 + random.integer(7) }, () => random.integer(11)) };
});

describe.each(engines)('generate on %s', (engine) => {
  let parameters: Parameters;
  const weights = tinyWeights(tinyConfig, 11);
  const exact = inFloat64(weights);
  const run = (asked: readonly GenerationRequest[], how: Partial<GenerationSettings> = {}) =>
    generate(tinyConfig, parameters, asked, { ...settings, ...how });
  beforeAll(async () => {
    await selectEngine(engine);
    parameters = parametersFrom(weights);
  });
  afterAll(() => disposeParameters(parameters));

  it.each([
    ['full mixtures', { support: 'full', temperature: 1 }],
    ['top 3, warm', { support: 3, temperature: 2 }],
    ['without the end marker', { support: 'full', temperature: 1.5, excluded: [7] }],
  ] as const)('equals a whole pass for every step, without cache or batch: %s', (_, mixture) => {
    const batch = run(requests, { mixture });
    requests.forEach((request, row) => {
      const expected = referenceGeneration(tinyConfig, exact, request, { ...settings, mixture });
      expect(expected.leastLead, 'a lead that float32 can see').toBeGreaterThan(1e-4);
      expectEqual(batch[row]!, expected);
    });
    // The weights' seed was chosen so that rows end at different steps, or the test would say little.
    expect(new Set(batch.map(({ latentCount }) => latentCount)).size).toBeGreaterThan(2);
    expect(new Set(batch.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(2);
  });

  it.each(tinyConfigs.slice(1))('equals a whole pass for every step ($architecture)', (config) => {
    const ofConfig = tinyWeights({ ...config, maxPositions: 32 }, 11);
    const own = parametersFrom(ofConfig);
    const batch = generate({ ...config, maxPositions: 32 }, own, requests, settings);
    let compared = 0;
    requests.forEach((request, row) => {
      const expected = referenceGeneration(config, inFloat64(ofConfig), request, settings);
      if (expected.leastLead < 1e-4) return; // a lead that float32 cannot see
      expectEqual(batch[row]!, expected);
      compared++;
    });
    expect(compared).toBeGreaterThan(requests.length / 2);
    disposeParameters(own);
  });

  describe('a model with 8 learned positions', () => {
    const config = tinyConfigs.at(-1)!;
    const latent = new Float32Array(config.width).fill(0.1);
    const eosNever = { ...settings, end: [7], eos: -1, maxLatents: 20, maxTokens: 20 };
    let own: Parameters;
    beforeAll(() => {
      own = parametersFrom(tinyWeights(config));
    });
    afterAll(() => disposeParameters(own));

    it('keeps a finished row within them', () => {
      const short = { prompt: [1], givenLatents: [latent, latent, latent, latent] };
      const long = { prompt: [1, 2, 3, 4, 5, 6], givenLatents: [] };
      const how = { ...settings, end: [7], maxTokens: 1 };
      const batch = generate(config, own, [long, short, short], how);
      [long, short, short].forEach((request, row) => {
        expect(batch[row]!.tokens).toEqual(generate(config, own, [request], how)[0]!.tokens);
      });
    });

    it.each([
      ['direct', 7, 1],
      ['direct', 5, 3],
      ['direct', 8, 0],
      ['chain', 8, 1],
      ['chain', 3, 6],
    ] as const)('ends a row at the last of them: %s, prompt of %d tokens', (mode, length, tokens) => {
      const request = { prompt: [1, 2, 3, 4, 5, 6, 1, 2].slice(0, length) };
      const other = { prompt: [3] };
      const batch = generate(config, own, [request, other], { ...eosNever, mode });
      expect(batch[0]!.tokens).toHaveLength(tokens);
      expect(batch[1]!.tokens).toHaveLength(mode === 'direct' ? 7 : 8);
      expect(batch).toEqual(
        [request, other].map((one) => generate(config, own, [one], { ...eosNever, mode })[0]),
      );
    });

    it('leaves room for the end marker and one token after the latents', () => {
      const [got] = generate(config, own, [{ prompt: [1, 2] }], eosNever);
      const { latentCount, latentStop, tokens } = got!;
      if (latentStop === 'limit') expect([latentCount, tokens.length]).toEqual([5, 1]);
      else expect(latentCount + 1 + tokens.length).toBe(7);
      // a marker that does not fit ends the row
      const [none] = generate(config, own, [{ prompt: [1, 2, 3, 4, 5, 6] }], { ...eosNever, end: [7, 7, 7] });
      expect(none).toMatchObject({ tokens: [], latentCount: 0 });
      const [given] = generate(
        config,
        own,
        [{ prompt: [1, 2, 3, 4], givenLatents: Array(5).fill(latent) }],
        eosNever,
      );
      expect(given).toMatchObject({ tokens: [], latentCount: 5, latentStop: 'given' });
    });

    it('refuses a prompt that is longer', () => {
      expect(() => generate(config, own, [{ prompt: Array(9).fill(1) }], settings)).toThrow(
        'generate: expected a prompt of at most 8 tokens, the positions that gpt2 has learned, got 9',
      );
    });
  });

  it('answers a batch as it answers one by one', () => {
    const batch = run(requests);
    requests.forEach((request, row) => {
      const [alone] = run([request]);
      expect(batch[row]!.tokens).toEqual(alone!.tokens);
      expect(batch[row]!.latentCount).toBe(alone!.latentCount);
      expect(batch[row]!.latentStop).toBe(alone!.latentStop);
      batch[row]!.latents.forEach((latent, step) => {
        expect(latent.ids[0]).toBe(alone!.latents[step]!.ids[0]);
        latent.weights.forEach((weight, i) => {
          expect(weight).toBeCloseTo(alone!.latents[step]!.weights[i]!, 4);
        });
      });
    });
  });

  it('feeds given latents, none or several, in place of its own', () => {
    const given = requests.map((request, row) => ({
      ...request,
      givenLatents: Array.from({ length: row % 4 }, (_, i) =>
        randomStream(row, 'given', i).normal(tinyConfig.width),
      ),
    }));
    const batch = run(given);
    given.forEach((request, row) => {
      expectEqual(batch[row]!, referenceGeneration(tinyConfig, exact, request, settings));
      expect(batch[row]!.latentStop).toBe('given');
      expect(batch[row]!.latents).toEqual([]);
    });
  });

  it('feeds given latents beside rows that make their own', () => {
    const mixed = requests.map((request, row) =>
      row % 3 > 0
        ? request
        : { ...request, givenLatents: [randomStream(row, 'given').normal(tinyConfig.width)] },
    );
    const batch = run(mixed);
    mixed.forEach((request, row) => {
      expectEqual(batch[row]!, referenceGeneration(tinyConfig, exact, request, settings));
    });
  });

  it('reports as much of a latent as is asked for', () => {
    for (const support of ['full', 4] as const) {
      const mixture = { support, temperature: 1 };
      const all = run(requests, { mixture, traceVectors: true });
      const two = run(requests, { mixture, traceSize: 2 });
      const none = run(requests, { mixture, traceSize: 0, traceVectors: true });
      expect(run(requests, { mixture, traceSize: 0 }).every(({ latents }) => latents.length === 0)).toBe(
        true,
      );
      all.forEach(({ latents }, row) => {
        latents.forEach(({ ids, weights, entropy, vector }, step) => {
          expect(ids).toHaveLength(support === 'full' ? tinyConfig.vocabularySize : support);
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
          expect(two[row]!.latents[step]).toEqual({
            ids: ids.slice(0, 2),
            weights: weights.slice(0, 2),
            entropy,
          });
          expect(none[row]!.latents[step]).toEqual({ ids: [], weights: [], entropy, vector });
          expect(vector).toHaveLength(tinyConfig.width);
        });
      });
    }
  });

  it('leaves no tensor behind, whatever ends first', () => {
    const before = countTensors();
    run(requests);
    run(requests, { mixture: { support: 2, temperature: 1 }, traceSize: 0 });
    run([{ prompt: [4], givenLatents: [new Float32Array(8)] }]);
    run([]);
    expect(countTensors()).toBe(before);
  });

  it('draws the same answers from the same seed, and others from another', () => {
    const sampled = (seed: number) =>
      run(requests, { sampling: { kind: 'nucleus', temperature: 1.5, topP: 0.95, seed } }).map(
        ({ tokens }) => tokens,
      );
    expect(sampled(1)).toEqual(sampled(1));
    expect(sampled(1)).not.toEqual(sampled(2));
  });
});

/** The same tokens and latents as the reference, weights to 1e-4. */
function expectEqual(got: Generation, expected: ReturnType<typeof referenceGeneration>): void {
  expect(got.tokens).toEqual(expected.tokens);
  expect(got.latentCount).toBe(expected.latentCount);
  got.latents.forEach((latent, step) => {
    const alpha = expected.mixtures[step]!;
    latent.ids.forEach((id, i) => {
      expect(latent.weights[i], `latent ${step + 1}, token ${id}`).toBeCloseTo(alpha[id]!, 4);
    });
    const entropy = alpha.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
    expect(latent.entropy).toBeCloseTo(entropy, 3);
    expect([...latent.weights]).toEqual([...latent.weights].sort((a, b) => b - a));
  });
}

describe('a model whose every word is known', () => {
  let parameters: Parameters;
  beforeAll(async () => {
    await selectEngine('cpu');
    parameters = parametersFrom(automatonWeights());
  });
  afterAll(() => disposeParameters(parameters));
  const end = [WORD.end, WORD.endTail];
  const answer = [WORD.answer, WORD.unit];
  const run = (prompts: readonly (readonly number[])[], how: Partial<GenerationSettings> = {}) =>
    generate(
      automatonConfig,
      parameters,
      prompts.map((prompt) => ({ prompt })),
      { ...settings, end, eos: WORD.eos, traceSize: 1, ...how },
    );
  const counting = (latents: number) => [WORD.loop, WORD.count + latents];

  it('ends each row by itself, at 0 latents too', () => {
    const answered = run([counting(3), counting(0), counting(4), counting(1)]);
    expect(answered.map(({ latentCount }) => latentCount)).toEqual([3, 0, 4, 1]);
    for (const { latentStop, tokens } of answered) {
      expect(latentStop).toBe('model');
      expect(tokens).toEqual(answer);
    }
    // Each latent is said in the word that comes next.
    expect(answered[0]!.latents.map(({ ids }) => ids[0])).toEqual([8, 7, 6]);
    expect(answered[1]!.latents).toEqual([]);
  });

  it('ends latents at the limit, and feeds the end marker then as well', () => {
    const [limited, own] = run([[WORD.loop], counting(2)], { maxLatents: 3 });
    expect([limited!.latentStop, limited!.latentCount]).toEqual(['limit', 3]);
    expect(limited!.tokens).toEqual(answer);
    expect([own!.latentStop, own!.latentCount]).toEqual(['model', 2]);
    // At exactly the limit the model still has the last word.
    expect(run([counting(3)], { maxLatents: 3 })[0]!.latentStop).toBe('model');
    expect(run([counting(3)], { maxLatents: 0 })[0]).toMatchObject({ latentStop: 'limit', latentCount: 0 });
  });

  it('answers directly after the end marker, or writes its chain first', () => {
    const [direct] = run([[WORD.loop]], { mode: 'direct' });
    expect(direct).toMatchObject({ tokens: answer, latentCount: 0, latentStop: 'none', latents: [] });
    const [chain] = run([counting(2)], { mode: 'chain', maxTokens: 20 });
    expect(chain).toMatchObject({ tokens: [7, 6, ...end, ...answer], latentCount: 0, latentStop: 'none' });
  });

  it('ends an answer at the limit of tokens', () => {
    expect(run([counting(1)], { maxTokens: 1 })[0]!.tokens).toEqual([WORD.answer]);
    expect(run([[WORD.loop]], { mode: 'chain', maxTokens: 4 })[0]!.tokens).toEqual(
      Array.from({ length: 4 }, () => WORD.loop),
    );
  });

  it('goes on from given latents', () => {
    const givenLatents = [oneHot(WORD.count + 1), oneHot(WORD.loop)];
    const [given] = generate(automatonConfig, parameters, [{ prompt: counting(4), givenLatents }], {
      ...settings,
      end,
      eos: WORD.eos,
    });
    expect(given).toMatchObject({ tokens: answer, latentCount: 2, latentStop: 'given' });
  });

  it('refuses an empty prompt and ids outside the vocabulary', () => {
    expect(() => run([[]])).toThrow('generate: expected a prompt of at least one token, got none');
    expect(() => run([[3, 11]])).toThrow('generate: expected token ids within [0, 11), got 11 at place 2');
  });
});
