import { attentionMask, gatherRows, selectRows, withoutLeaks } from '@latent-sft/tensor';
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
  type Parameters,
  parametersFrom,
  positionTable,
  readStates,
  withAdapter,
} from '../src/index.js';
import { engines } from './engines.js';
import { tinyConfig, tinyConfigs, tinyWeights } from './tiny-model.js';

const LENGTH = 6;
const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'o_proj', 'down_proj'] } as const;

function openPass(config: ModelConfig, batch: number) {
  const positions = Int32Array.from({ length: batch * LENGTH }, (_, i) => i % LENGTH);
  const lengths = [LENGTH, LENGTH - 2].slice(0, batch);
  const shape = { batch, queries: LENGTH, keys: LENGTH };
  const pass = {
    config,
    inputs: tf.randomNormal<tf.Rank.R3>([batch, LENGTH, config.width], 0, 1, 'float32', 7),
    positions: positionTable(config, positions, [batch, LENGTH]),
    mask: attentionMask(causalRanges(lengths, LENGTH), shape),
  };
  const dispose = () => {
    pass.inputs.dispose();
    pass.mask.dispose();
    pass.positions.dispose();
  };
  return { pass, dispose };
}

/** Values and gradients, of inputs and weights, of what a pass computes. */
function differentiated(
  inputs: tf.Tensor3D,
  weights: Parameters,
  statesOf: (inputs: tf.Tensor3D, weights: Parameters) => tf.Tensor2D,
): number[][] {
  return tf.tidy(() => {
    const named = [...weights].filter(([name]) => !/embed_tokens|lm_head/.test(name));
    let states: number[] = [];
    const gradients = tf.grads((first: tf.Tensor, ...tensors: tf.Tensor[]) => {
      const changed = new Map(named.map(([name], i) => [name, tensors[i]!]));
      const rows = statesOf(first as tf.Tensor3D, changed);
      states = [...rows.dataSync()];
      return tf.sum(tf.mul(rows, tf.sin(tf.reshape(tf.range(0, rows.size), rows.shape))));
    })([inputs, ...named.map(([, tensor]) => tensor)]);
    return [states, ...gradients.map((gradient) => [...gradient.dataSync()])];
  });
}

function expectClose(found: readonly number[][], expected: readonly number[][]): void {
  expect(found.map((numbers) => numbers.length)).toEqual(expected.map((numbers) => numbers.length));
  found.forEach((numbers, i) => {
    const size = Math.max(1, ...expected[i]!.map(Math.abs));
    numbers.forEach((x, j) => {
      expect(Math.abs(x - expected[i]![j]!)).toBeLessThan(2e-5 * size);
    });
  });
}

describe.each(engines)('states of rows that are read on %s', (engine) => {
  beforeAll(async () => {
    await selectEngine(engine);
  });

  describe.each([
    ['one row of tokens', 1, [4, 1, 5]],
    ['two rows of tokens', 2, [7, 0, 3, 4]],
    ['one that is read of two', 2, [2]],
    ['all that are there', 1, [0, 1, 2, 3, 4, 5]],
  ] as const)('%s', (_what, batch, rows) => {
    it.each(tinyConfigs.map((config) => [config.architecture, config] as const))(
      'are those of all rows, and so are their gradients: %s',
      async (_name, config) => {
        await withoutLeaks(() => {
          const { pass, dispose } = openPass(config, batch);
          const weights = parametersFrom(tinyWeights(config));
          const read = selectRows(rows, batch * LENGTH);
          const all = differentiated(pass.inputs, weights, (inputs, changed) => {
            const states = decoderStates({ ...pass, inputs, parameters: new Map([...weights, ...changed]) });
            return gatherRows(tf.reshape(states, [batch * LENGTH, config.width]), read);
          });
          for (const checkpoint of [false, true]) {
            const some = differentiated(pass.inputs, weights, (inputs, changed) => {
              const parameters = new Map([...weights, ...changed]);
              return readStates({ ...pass, inputs, parameters, checkpoint }, read);
            });
            expectClose(some, all);
          }
          read.dispose();
          dispose();
          disposeParameters(weights);
        });
      },
    );

    it('are the same to the bit of inputs that are given as rows; others are refused', async () => {
      await withoutLeaks(() => {
        const { pass, dispose } = openPass(tinyConfig, batch);
        const parameters = parametersFrom(tinyWeights(tinyConfig));
        tf.tidy(() => {
          const inputs: tf.Tensor2D = tf.reshape(pass.inputs, [batch * LENGTH, tinyConfig.width]);
          const expected = decoderStates({ ...pass, parameters });
          const states = decoderStates({ ...pass, parameters, inputs });
          expect(states.shape).toEqual(expected.shape);
          expect(states.dataSync()).toEqual(expected.dataSync());
          const fewer = tf.slice2d(inputs, [1, 0], [-1, -1]);
          expect(() => decoderStates({ ...pass, parameters, inputs: fewer })).toThrow(
            `decoderStates: expected inputs [${batch}, ${LENGTH}, ${tinyConfig.width}], got [${fewer.shape}]`,
          );
        });
        disposeParameters(parameters);
        dispose();
      });
    });

    it('are the same to the bit where layers are computed again, with dropout', async () => {
      await withoutLeaks(() => {
        const { pass, dispose } = openPass(tinyConfig, batch);
        const base = parametersFrom(tinyWeights(tinyConfig));
        const adapter = parametersFrom(initialLora(tinyConfig, lora, 1, 'read'));
        const scale = tf.scalar(loraScale(lora));
        const read = selectRows(rows, batch * LENGTH);
        const dropout = { rate: 0.4, seed: 1, label: 'read', step: 5 };
        const [kept, again] = [false, true].map((checkpoint) =>
          differentiated(pass.inputs, adapter, (inputs, changed) => {
            const parameters = withAdapter(base, changed, scale);
            return readStates({ ...pass, inputs, parameters, checkpoint, dropout }, read);
          }),
        );
        expect(again).toEqual(kept);
        read.dispose();
        dispose();
        scale.dispose();
        for (const parameters of [base, adapter]) disposeParameters(parameters);
      });
    });
  });

  it('are those of all rows with a cache of earlier keys', async () => {
    await withoutLeaks(() => {
      const { pass, dispose } = openPass(tinyConfig, 1);
      const parameters = parametersFrom(tinyWeights());
      const read = selectRows([LENGTH - 1], LENGTH);
      const caches = [layerCaches(tinyConfig.layers), layerCaches(tinyConfig.layers)] as const;
      tf.tidy(() => {
        const keys = caches[0][0]!.keysAfter(LENGTH);
        const mask = attentionMask(causalRanges([LENGTH], LENGTH), { batch: 1, queries: LENGTH, keys });
        const all = decoderStates({ ...pass, parameters, mask, cache: caches[0] });
        const last = readStates({ ...pass, parameters, mask, cache: caches[1] }, read);
        expectClose([[...last.dataSync()]], [[...tf.slice(all, [0, LENGTH - 1], [1, 1]).dataSync()]]);
      });
      for (const cache of caches.flat()) cache.dispose();
      read.dispose();
      dispose();
      disposeParameters(parameters);
    });
  });

  it('refuses rows out of another batch', () => {
    tf.tidy(() => {
      const { pass } = openPass(tinyConfig, 1);
      const read = selectRows([0], 4);
      expect(() => readStates({ ...pass, parameters: new Map() }, read)).toThrow(
        'readStates: expected rows out of 1 x 6, got 4',
      );
    });
  });
});
