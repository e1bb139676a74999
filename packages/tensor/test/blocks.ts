import { randomStream } from '@latent-sft/random';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type NamedTensors, withoutLeaks } from '../src/index.js';
import { attentionBlockCase, type BlockCase, feedForwardCase } from './cases/blocks.js';
import './matchers.js';

const causal = (query: number) => [[0, query + 1]] as const;
const pairs = (query: number) =>
  query % 3 !== 2
    ? []
    : ([
        [0, 1],
        [query, query + 1],
      ] as const);
const plain = { rank: 0, rate: 0 };

const cases: readonly BlockCase[] = [
  feedForwardCase('full weights', 12, { lengths: [7], width: 5, ...plain }),
  feedForwardCase('one row', 3, { lengths: [1], width: 4, ...plain }),
  feedForwardCase('more rows than one thread takes', 33, { lengths: [83], width: 17, ...plain }),
  feedForwardCase('adapters', 13, { lengths: [37], width: 8, rank: 3, rate: 0 }),
  feedForwardCase('adapters, some merged, more outputs than are packed at once', 230, {
    lengths: [60],
    width: 40,
    rank: 3,
    rate: 0,
  }),
  feedForwardCase('adapters that drop', 20, { lengths: [37], width: 11, rank: 2, rate: 0.3 }),
  feedForwardCase('adapters beside some maps', 20, {
    ...{ lengths: [37], width: 11, rank: 2, rate: 0 },
    bare: ['gate', 'down'],
  }),
  attentionBlockCase('full weights', [4, 2, 8], causal, { lengths: [9], width: 12, ...plain }),
  attentionBlockCase('one row', [1, 1, 2], causal, { lengths: [1], width: 3, ...plain }),
  attentionBlockCase('two rows of a batch', [3, 3, 4], causal, { lengths: [21, 21], width: 10, ...plain }),
  attentionBlockCase('adapters', [6, 2, 4], causal, { lengths: [40], width: 9, rank: 2, rate: 0 }),
  attentionBlockCase('adapters that drop', [2, 1, 6], causal, {
    lengths: [19],
    width: 7,
    rank: 3,
    rate: 0.4,
  }),
  attentionBlockCase('adapters that drop beside some maps', [2, 1, 6], causal, {
    ...{ lengths: [19], width: 7, rank: 3, rate: 0.4 },
    bare: ['key', 'output'],
  }),
  attentionBlockCase('some rows, in any order', [4, 2, 8], causal, {
    ...{ lengths: [40], width: 12, ...plain },
    read: [17, 3, 4, 39, 38, 0],
  }),
  attentionBlockCase('one row of many', [2, 1, 4], causal, {
    ...{ lengths: [33], width: 5, rank: 2, rate: 0 },
    read: [20],
  }),
  attentionBlockCase('all rows, chosen', [2, 2, 4], causal, {
    ...{ lengths: [6], width: 5, ...plain },
    read: [0, 1, 2, 3, 4, 5],
  }),
  attentionBlockCase('some rows of three in a batch, none of one', [6, 3, 4], causal, {
    ...{ lengths: [18, 18, 18], width: 7, rank: 2, rate: 0.4 },
    read: [50, 1, 2, 17, 36, 37, 38],
  }),
  attentionBlockCase('more read rows than one thread takes, adapters merged', [2, 1, 4], causal, {
    ...{ lengths: [90, 90], width: 9, rank: 3, rate: 0 },
    read: Array.from({ length: 120 }, (_, i) => (i * 7) % 180),
  }),
];

const FORWARD = { rtol: 1e-4, atol: 1e-4 };
const GRADIENT = { rtol: 2e-4, atol: 2e-4 };

/** Checks a block, and the gradients of some of its inputs, against the kernels that it is made of. */
async function check(blockCase: BlockCase, only?: (name: string) => boolean): Promise<void> {
  const { block, kernels, constants } = blockCase.open();
  const all = Object.entries(blockCase.inputs).map(
    ([name, { data, shape }]) => [name, tf.tensor(Float32Array.from(data), [...shape])] as const,
  );
  const moving = all.filter(([name]) => only?.(name) ?? true);
  const run = (compute: (inputs: NamedTensors) => tf.Tensor) => {
    const gradientsOf = tf.valueAndGrads((...xs: tf.Tensor[]) => {
      const inputs = {
        ...Object.fromEntries(all),
        ...Object.fromEntries(moving.map(([name], i) => [name, xs[i]!])),
      };
      const y = compute(inputs);
      return tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(0, y.size)), y.shape)));
    });
    const { value, grads } = gradientsOf(moving.map(([, tensor]) => tensor));
    const y = tf.tidy(() => compute(Object.fromEntries(all)));
    const numbers = [y, ...grads].map((tensor) => tensor.dataSync());
    tf.dispose([value, y, ...grads]);
    return numbers;
  };
  const expected = run(kernels);
  let actual: ReturnType<typeof run> = [];
  await withoutLeaks(() => {
    actual = run(block);
  });
  expect(actual[0]).toBeAllClose(expected[0]!, FORWARD);
  moving.forEach(([name], i) => {
    expect(actual[i + 1], `gradient of ${name}`).toBeAllClose(expected[i + 1]!, GRADIENT);
  });
  tf.dispose([...all.map(([, tensor]) => tensor), ...constants]);
}

/** Declares the tests of blocks on the current backend. */
export function testBlocks(): void {
  describe('blocks', () => {
    for (const blockCase of cases) {
      it(`${blockCase.title}: as its kernels, gradient of every input`, () => check(blockCase));
      it(`${blockCase.title}: gradient of the input alone`, () => check(blockCase, (name) => name === 'x'));
    }
    it('adapters beside frozen weights', () => check(cases[3]!, (name) => /^x$|Lower|Raise/.test(name)));
    it('queries that see nothing, and sets of keys', () =>
      check(attentionBlockCase('sets', [2, 2, 4], pairs, { lengths: [14], width: 6, ...plain })));
    it('gradients are 0 where no row is read', () => {
      const none = { lengths: [9], width: 5, rank: 2, rate: 0, read: [] };
      const { inputs, open } = attentionBlockCase('nothing', [2, 1, 4], causal, none);
      const { block, constants } = open();
      const names = Object.keys(inputs);
      const tensors = names.map((name) => {
        const { data, shape } = inputs[name]!;
        return tf.tensor(Float32Array.from(data), [...shape]);
      });
      const { value, grads } = tf.valueAndGrads((...xs: tf.Tensor[]) =>
        block(Object.fromEntries(names.map((name, i) => [name, xs[i]!]))),
      )(tensors);
      expect(value.shape).toEqual([0, 5]);
      grads.forEach((gradient, i) => {
        expect([...gradient.dataSync()].map(Math.abs), names[i]).toEqual(Array(tensors[i]!.size).fill(0));
      });
      tf.dispose([value, ...grads, ...tensors, ...constants]);
    });
    it('150 random sizes and layouts', async () => {
      const numbers = randomStream(11, 'blocks').uniform(3000);
      let drawn = 0;
      const whole = (from: number, to: number) => from + Math.floor(numbers[drawn++]! * (to - from + 1));
      for (let i = 0; i < 50; i++) {
        const sizes = () => ({ width: whole(1, 20), rank: whole(0, 3), rate: whole(0, 2) === 0 ? 0.25 : 0 });
        await check(feedForwardCase(`random ${i}`, whole(1, 40), { lengths: [whole(1, 50)], ...sizes() }));
        const [groups, share, half, length] = [whole(1, 3), whole(1, 3), whole(1, 8), whole(1, 40)];
        const cut = whole(0, length);
        const ranges = (query: number) =>
          query < cut
            ? causal(query)
            : ([
                [0, Math.min(cut, 3)],
                [cut, query + 1],
              ] as const);
        const heads = [groups * share, groups, 2 * half] as const;
        const lengths = whole(0, 1) === 0 ? [length] : [length, length];
        await check(attentionBlockCase(`random ${i}`, heads, ranges, { lengths, ...sizes() }));
        const total = lengths.length * length;
        const first = whole(0, total - 1);
        const read = Array.from({ length: whole(1, total) }, (_, row) => (first + row) % total);
        if (whole(0, 1) === 0) read.reverse();
        await check(attentionBlockCase(`random read ${i}`, heads, ranges, { lengths, ...sizes(), read }));
      }
    });
  });
}
