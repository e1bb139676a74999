import type { Batch } from '@latent-sft/data';
import { visiblePairs } from '@latent-sft/model';
import { sizesOf, studentLayout } from '@latent-sft/segmentation';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, describe, expect, it } from 'vitest';
import type { RecipeInput } from '../../src/index.js';
import { stageOneBatches } from '../../src/stages/stage-one-batches.js';
import { allDiffer, contextOf, stageOneLoss } from './fixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');
const tensors = countTensors();
afterAll(() => expect(countTensors()).toBe(tensors));

type Changes = Partial<RecipeInput>;

/** The example whose rows are looked at: segments of two tokens each. */
const SHOWN = contextOf().train.findIndex(({ segments }) => segments.length === 3);

/** Encoder and decoder rows of that example, or of all. */
function rowsOf(changes: Changes, which: 'shown' | 'all' = 'shown'): { encoder: Batch; decoder: Batch } {
  const context = contextOf(changes);
  const examples = which === 'all' ? context.train : [context.train[SHOWN]!];
  return stageOneBatches(context, 'union')([examples])[0]!;
}

const example = contextOf().train[SHOWN]!;
const quiet: Changes = { latent: { noise: { variant: 'none' } } };
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

it('has an example of three segments, each of two tokens', () => {
  expect(example.segments.map(({ length }) => length)).toEqual([2, 2, 2]);
  expect([example.end.length, example.answer.length]).toEqual([1, 2]);
});

describe('masks.positions: where the rows of the decoder stand', () => {
  const positions = (track: 'dual' | 'single') => [
    ...rowsOf({ masks: { positions: track } }).decoder.positions,
  ];
  const backbone = studentLayout(sizesOf(example)).length;
  const before = example.prompt.length + example.think.length;

  it('dual: the backbone as in stage 2, and segments on from their latent', () => {
    // the last words of the answer and of each segment are targets alone
    const read = backbone - 1;
    expect(positions('dual').slice(0, read)).toEqual(Array.from({ length: read }, (_, i) => i));
    expect(positions('dual').slice(read)).toEqual([before + 1, before + 2]);
  });

  it('single: one after another in the order of the sequence', () => {
    const sorted = positions('single').sort((a, b) => a - b);
    const last = [before + 2, before + 5, backbone + 3];
    expect(sorted).toEqual(
      Array.from({ length: backbone + 4 }, (_, i) => i).filter((position) => !last.includes(position)),
    );
    expect(positions('single')).not.toEqual(positions('dual'));
  });
});

describe('masks: what each row sees', () => {
  const pairs = (masks: Changes['masks']) => {
    const { encoder, decoder } = rowsOf({ masks });
    return { encoder: visiblePairs(encoder.ranges), decoder: visiblePairs(decoder.ranges) };
  };
  const plain = pairs({});
  const { prompt, answer } = example;
  // all but the last words of segments and answer, which are targets alone
  const segmentRows = 2;
  const answerRows = answer.length - 1;

  it('segmentContext: beside its latent a segment sees nothing, the first token, or the prompt', () => {
    expect(pairs({ segmentContext: 'latent' })).toEqual(plain);
    expect(pairs({ segmentContext: 'latent+bos' }).decoder).toBe(plain.decoder + segmentRows);
    expect(pairs({ segmentContext: 'latent+prompt' }).decoder).toBe(
      plain.decoder + segmentRows * prompt.length,
    );
  });

  it('answerSeesLastLatent: without it each word of the answer sees one row less', () => {
    expect(pairs({ answerSeesLastLatent: false }).decoder).toBe(plain.decoder - answerRows);
  });

  it('encoder and decoder: causal rows see all that comes before', () => {
    const every = (rows: number) => (rows * (rows + 1)) / 2;
    const { encoder } = rowsOf({});
    const { decoder } = rowsOf({ masks: { decoder: 'causal' } });
    expect(pairs({ encoder: 'causal' })).toEqual({ ...plain, encoder: every(encoder.length) });
    expect(pairs({ decoder: 'causal' })).toEqual({ ...plain, decoder: every(decoder.length) });
    // latents are read by no other row of an encoder under LTIM
    const behind = [1, 2, 3].map((latent) => encoder.length - (prompt.length + 1 + 3 * latent));
    expect(plain.encoder).toBe(every(encoder.length) - sum(behind));
  });

  it('each change the loss', () => {
    const masks = [
      {},
      { positions: 'single' },
      { segmentContext: 'latent+bos' },
      { segmentContext: 'latent+prompt' },
      { answerSeesLastLatent: false },
      { encoder: 'causal' },
      { decoder: 'causal' },
    ] as const;
    expect(allDiffer(masks.map((mask) => stageOneLoss(contextOf({ ...quiet, masks: mask }))))).toBe(true);
  });
});

describe('supervision: the readings of L_sup', () => {
  const union = (settings: object) => ({ stages: { union: settings } }) as Changes;
  const weights = (settings: object) => [...rowsOf(union(settings)).decoder.targetWeights];
  // J_1 = S2 S3 E A, J_2 = S3 E A, J_3 = E A: 7, 5 and 3 targets
  const readings: readonly (readonly [string, boolean, readonly number[]])[] = [
    ['token-mean', true, Array(7).fill(1 / 7)],
    ['token-mean', false, Array(5).fill(1 / 5)],
    [
      'suffix-mean',
      true,
      [
        ...Array(2).fill(1 / 21),
        ...Array(2).fill(1 / 21 + 1 / 15),
        ...Array(3).fill(1 / 21 + 1 / 15 + 1 / 9),
      ],
    ],
    [
      'suffix-mean',
      false,
      [...Array(2).fill(1 / 15), ...Array(2).fill(1 / 15 + 1 / 9), 1 / 15 + 1 / 9 + 1 / 3],
    ],
    ['chunk-mean', true, [...Array(4).fill(1 / 6), ...Array(3).fill(1 / 9)]],
    ['chunk-mean', false, [...Array(4).fill(1 / 6), 1 / 3]],
    ['strict-suffix', true, [...Array(7).fill(1 / 21), ...Array(5).fill(1 / 15), ...Array(3).fill(1 / 9)]],
    ['strict-suffix', false, [...Array(5).fill(1 / 15), ...Array(3).fill(1 / 9), 1 / 3]],
  ];

  it.each(readings)('%s, superviseAnswer %s: these weights', (supervision, superviseAnswer, expected) => {
    const actual = weights({ supervision, superviseAnswer }).sort((a, b) => a - b);
    expect(actual).toHaveLength(expected.length);
    [...expected]
      .sort((a, b) => a - b)
      .forEach((weight, i) => {
        expect(actual[i]).toBeCloseTo(weight, 6);
      });
  });

  it('weigh long chains by their tokens in token-mean, all alike in the others', () => {
    const lengths = contextOf().train.map(
      ({ segments }) => sum(segments.slice(1).map(({ length }) => length)) + 3,
    );
    expect(new Set(lengths).size).toBeGreaterThan(1);
    const shares = (supervision: string) => {
      const { targetWeights } = rowsOf(union({ supervision }), 'all').decoder;
      return lengths.map((length, i) => {
        const start = sum(lengths.slice(0, i));
        return sum(targetWeights.slice(start, start + length));
      });
    };
    shares('token-mean').forEach((share, i) => {
      expect(share).toBeCloseTo(lengths[i]! / sum(lengths), 6);
    });
    for (const supervision of ['suffix-mean', 'chunk-mean']) {
      for (const share of shares(supervision)) expect(share).toBeCloseTo(1 / lengths.length, 6);
    }
  });

  it('each change the loss', () => {
    const losses = readings.map(([supervision, superviseAnswer]) =>
      stageOneLoss(contextOf({ ...quiet, ...union({ supervision, superviseAnswer }) })),
    );
    expect(allDiffer(losses)).toBe(true);
  });
});
