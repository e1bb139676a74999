import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attentionMask, countTensors, crossEntropy, embedding } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  causalRanges,
  decoderStates,
  disposeParameters,
  inputTable,
  loadModelFolder,
  type ModelConfig,
  outputTable,
  type Parameters,
  parameter,
  parametersFrom,
  positionTable,
  readLlama2c,
  saveModelFolder,
  scoreTokens,
  weightsOf,
} from '../src/index.js';
import { engines } from './engines.js';
import { inFloat64, referenceScores } from './reference-model.js';
import { tinyConfig, tinyConfigs, tinyWeights } from './tiny-model.js';

const shared = (path: string) => fileURLToPath(new URL(`../../../../shared/${path}`, import.meta.url));
const STORIES = shared('models/stories260K/stories260K.bin');
const GOLDEN = shared('golden/stories260K-nll.json');
const IDS = [3, 10, 0, 7, 7, 2];

/** Sum of the negative log-likelihoods, as a training step computes it. */
function nll(config: ModelConfig, parameters: Parameters, ids: readonly number[]): tf.Scalar {
  const length = ids.length - 1;
  const words = embedding(inputTable(parameters), tf.tensor1d(ids.slice(0, -1), 'int32'));
  const states = decoderStates({
    config,
    parameters,
    inputs: tf.reshape(words, [1, length, config.width]),
    positions: positionTable(
      config,
      Int32Array.from({ length }, (_, t) => t),
      [1, length],
    ),
    mask: attentionMask(causalRanges([length], length), { batch: 1, queries: length, keys: length }),
  });
  const rows: tf.Tensor2D = tf.reshape(states, [length, config.width]);
  const logits = tf.matMul<tf.Tensor2D>(rows, outputTable(config, parameters), false, true);
  return tf.sum(crossEntropy(logits, tf.tensor1d(ids.slice(1), 'int32')));
}

describe.each(engines)('the forward pass on %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  it.each(tinyConfigs)(
    'equals the definition in float64 ($architecture, tied: $tiedEmbeddings)',
    (config) => {
      const weights = tinyWeights(config);
      const parameters = parametersFrom(weights);
      const scores = scoreTokens(config, parameters, IDS);
      referenceScores(config, inFloat64(weights), IDS).forEach((expected, t) => {
        expect(scores[t], `token ${t + 1}`).toBeCloseTo(expected, 4);
      });
      disposeParameters(parameters);
    },
  );

  it.each(tinyConfigs)(
    'has the gradient of every parameter that differences give ($architecture, tied: $tiedEmbeddings)',
    (config) => {
      const weights = tinyWeights(config);
      const exact = inFloat64(weights);
      const loss = () => referenceScores(config, exact, IDS).reduce((sum, one) => sum + one, 0);
      const step = 1e-5;
      tf.tidy(() => {
        const parameters = parametersFrom(weights);
        const names = [...parameters.keys()];
        const gradients = tf.grads((...tensors) =>
          nll(config, new Map(names.map((name, i) => [name, tensors[i]!])), IDS),
        )([...parameters.values()]);
        names.forEach((name, i) => {
          const got = gradients[i]!.dataSync();
          const { data } = exact.get(name)!;
          // Every third number of a tensor is enough to see a wrong one.
          for (let place = i % 3; place < data.length; place += 3) {
            const at = data[place]!;
            data[place] = at + step;
            const above = loss();
            data[place] = at - step;
            const slope = (above - loss()) / (2 * step);
            data[place] = at;
            const error = Math.abs(got[place]! - slope);
            expect(error, `${name}[${place}]: ${got[place]} for ${slope}`).toBeLessThan(
              1e-4 + 1e-4 * Math.abs(slope),
            );
          }
        });
      });
    },
  );

  it.skipIf(!existsSync(STORIES) || !existsSync(GOLDEN))(
    'gives the golden likelihoods of stories260K (needs shared/)',
    () => {
      const { cases } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as {
        cases: { ids: number[]; nll: number[] }[];
      };
      const { config, weights } = readLlama2c(STORIES);
      const parameters = parametersFrom(weights);
      for (const { ids, nll: expected } of cases) {
        const scores = scoreTokens(config, parameters, ids);
        expect(scores.length).toBe(expected.length);
        expected.forEach((one, t) => {
          expect(Math.abs(scores[t]! - one), `token ${t + 1}`).toBeLessThan(1e-4);
        });
      }
      disposeParameters(parameters);
    },
  );

  it.each(tinyConfigs)('scores the same after saving and loading ($architecture)', (config) => {
    const folder = mkdtempSync(join(tmpdir(), 'latent-sft-model-'));
    const parameters = parametersFrom(tinyWeights(config));
    saveModelFolder(folder, config, weightsOf(parameters));
    const loaded = loadModelFolder(folder);
    const again = parametersFrom(loaded.weights);
    expect(loaded.config).toEqual(config);
    expect(scoreTokens(loaded.config, again, IDS)).toEqual(scoreTokens(config, parameters, IDS));
    disposeParameters(parameters);
    disposeParameters(again);
    rmSync(folder, { recursive: true });
  });

  it('leaves no tensor behind', () => {
    const before = countTensors();
    const parameters = parametersFrom(tinyWeights());
    scoreTokens(tinyConfig, parameters, IDS);
    disposeParameters(parameters);
    expect(countTensors()).toBe(before);
  });
});

describe('what the forward pass refuses', () => {
  it('ids outside the vocabulary, too few of them, and tensors that are not there', () => {
    const parameters = parametersFrom(tinyWeights());
    expect(() => scoreTokens(tinyConfig, parameters, [1])).toThrow(
      'scoreTokens: expected at least two ids, got 1',
    );
    for (const id of [11, -1, 0.5]) {
      expect(() => scoreTokens(tinyConfig, parameters, [1, id])).toThrow(
        `scoreTokens: expected token ids within [0, 11), got ${id} at place 2`,
      );
    }
    expect(() => parameter(parameters, 'model.nose')).toThrow('expected a tensor named model.nose');
    expect(() => scoreTokens({ ...tinyConfig, width: 6 }, parameters, IDS)).toThrow();
    disposeParameters(parameters);
  });
});
