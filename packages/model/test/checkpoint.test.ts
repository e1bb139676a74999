import { attentionMask, countTensors, withoutLeaks } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  causalRanges,
  decoderStates,
  disposeParameters,
  initialLora,
  layerCaches,
  loraScale,
  type ModelConfig,
  parametersFrom,
  positionTable,
  withAdapter,
} from '../src/index.js';
import { engines } from './engines.js';
import { tinyConfig, tinyWeights } from './tiny-model.js';

const LENGTH = 6;
const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] } as const;
const gpt2: ModelConfig = {
  ...tinyConfig,
  architecture: 'gpt2',
  ropeBase: null,
  keyValueHeads: 4,
  headWidth: 2,
};

function pass(config: ModelConfig) {
  const ids = Int32Array.from({ length: LENGTH }, (_, i) => i);
  const ranges = causalRanges([LENGTH], LENGTH);
  return {
    config,
    inputs: tf.randomNormal<tf.Rank.R3>([1, LENGTH, config.width], 0, 1, 'float32', 7),
    positions: positionTable(config, ids, [1, LENGTH]),
    mask: attentionMask(ranges, { batch: 1, queries: LENGTH, keys: LENGTH }),
  };
}

describe.each(engines)('layers computed again on %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  it.each([
    ['all weights', { ...tinyConfig, layers: 12 }, false],
    ['adapters', { ...tinyConfig, layers: 12 }, true],
    ['adapters with dropout', { ...tinyConfig, layers: 12 }, true, 0.4],
    ['all weights of qwen3', { ...tinyConfig, architecture: 'qwen3' }, false],
    ['all weights of gpt2', gpt2, false],
    ['adapters on gpt2', gpt2, true],
  ] as const)('give the gradients of %s to the bit', async (_what, config, adapted, rate?: number) => {
    await withoutLeaks(() => {
      const base = parametersFrom(tinyWeights(config));
      const adapter = parametersFrom(adapted ? initialLora(config, lora, 1, 'checkpoint') : new Map());
      const scale = tf.scalar(loraScale(lora));
      const opened = pass(config);
      // the tables are not part of the pass
      const trained = [...(adapted ? adapter : base)].filter(([name]) => !/embed_tokens|lm_head/.test(name));
      const dropout = rate ? { rate, seed: 1, label: 'again', step: 5 } : null;
      const run = (checkpoint: boolean) => {
        let held = 0;
        const gradients = tf.tidy(() =>
          tf
            .grads((...tensors: tf.Tensor[]) => {
              const before = countTensors();
              const changed = new Map(trained.map(([name], i) => [name, tensors[i]!]));
              const parameters = adapted ? withAdapter(base, changed, scale) : new Map([...base, ...changed]);
              const states = decoderStates({ ...opened, parameters, checkpoint, dropout });
              held = countTensors() - before;
              return tf.sum(tf.square(states));
            })(trained.map(([, tensor]) => tensor))
            .map((gradient) => [...gradient.dataSync()]),
        );
        return { gradients, held };
      };
      const [plain, again] = [run(false), run(true)];
      expect(again.gradients).toEqual(plain.gradients);
      expect(again.gradients.flat().some((x) => x !== 0)).toBe(true);
      expect(again.held).toBeLessThan(plain.held);
      tf.dispose([scale, opened.inputs]);
      opened.mask.dispose();
      opened.positions.dispose();
      for (const parameters of [base, adapter]) disposeParameters(parameters);
    });
  });

  it('refuses a cache, which a layer computed twice would fill twice', () => {
    tf.tidy(() => {
      const parameters = parametersFrom(tinyWeights());
      const cache = layerCaches(tinyConfig.layers);
      expect(() => decoderStates({ ...pass(tinyConfig), parameters, cache, checkpoint: true })).toThrow(
        'decoderStates: expected checkpoint without a cache, got both',
      );
    });
  });
});
