import {
  disposeParameters,
  initialLora,
  initialWeights,
  loraScale,
  type NamedArray,
  parametersFrom,
} from '@latent-sft/model';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  chainStage,
  parseRecipe,
  type RecipeInput,
  type StageContext,
  type StageWork,
  softLabels,
  stageOne,
  studentStage,
} from '../../src/index.js';
import { usingModel } from '../../src/stages/frozen-base.js';
import { contextOf, descend } from './fixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const fresh = contextOf();
const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'up_proj', 'down_proj'] } as const;
const before = countTensors();
const base = {
  parameters: parametersFrom(initialWeights(fresh.config, 9, { deviation: 0.3 })),
  scale: tf.scalar(loraScale(lora)),
};
const tensors = countTensors();
afterAll(() => {
  expect(countTensors()).toBe(tensors);
  disposeParameters(base.parameters);
  base.scale.dispose();
  expect(countTensors()).toBe(before);
});

/** The same run with adapters beside a frozen model. */
function adapted(dropout: number | undefined, changes: Partial<RecipeInput> = {}): StageContext {
  const context = contextOf(changes);
  const tuning = {
    method: 'lora' as const,
    ...lora,
    targets: [...lora.targets],
    ...(dropout !== undefined && { dropout }),
  };
  const model = { source: 'pretrained' as const, from: 'nowhere' };
  const { tokenizer: _words, ...recipe } = context.recipe;
  return { ...context, recipe: parseRecipe({ ...recipe, model, tuning }), base };
}

/** An adapter; `trained`: one that changes something, as its B is not zero. */
function adapterOf(seed: number, trained: boolean): Map<string, NamedArray> {
  const adapter = initialLora(fresh.config, lora, seed, 'dropout');
  if (!trained) return adapter;
  return new Map(
    [...adapter].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.includes('lora_B') ? data.map((_, i) => Math.sin(i + seed) / 4) : data },
    ]),
  );
}

const query = { shape: [1, fresh.config.width], data: new Float32Array(fresh.config.width).fill(0.1) };
const encoderOf = (trained: boolean) =>
  new Map([...adapterOf(1, trained), ['latent_query.weight', query] as const]);
const labels = fresh.train.map(({ segments }) => ({
  alphas: Float32Array.from(
    { length: segments.length * fresh.config.vocabularySize },
    (_, i) => ((i * 7) % 5) / 5,
  ),
}));

const works: Readonly<Record<string, (context: StageContext) => StageWork>> = {
  cot: (context) => chainStage(context, 'cot', adapterOf(2, true)),
  union: (context) =>
    stageOne(context, 'union', { encoder: encoderOf(true), decoder: adapterOf(2, true) }, {}),
  student: (context) =>
    studentStage(context, adapterOf(2, true), { train: (i) => labels[i]!, validation: (i) => labels[i]! }),
};

/** The loss of a step of a stage, whose weights stay. */
function lossAt(work: StageWork, step: number): number {
  const prepared = work.prepare(step);
  const { loss } = work.vector.descend(prepared.losses, 1, 1e-30, work.optimiser);
  prepared.dispose();
  return loss;
}

describe.each(Object.entries(works))('tuning.dropout in stage %s', (_stage, workOf) => {
  const train = (dropout: number | undefined, changes: Partial<RecipeInput> = {}) =>
    descend(workOf(adapted(dropout, changes)), 2);

  it('0 is what it is without, to the bit; more is another loss and other weights', () => {
    const without = train(undefined);
    expect(train(0)).toEqual(without);
    const dropped = train(0.5);
    expect(Math.abs(dropped.reports[0]!.loss - without.reports[0]!.loss)).toBeGreaterThan(1e-4);
    expect(dropped.weights).not.toEqual(without.weights);
  });

  it('goes on after a stop with the draws of a whole run', () => {
    const whole = train(0.5);
    const first = workOf(adapted(0.5));
    const step = first.prepare(0);
    first.vector.descend(step.losses, 1, 1e-2, first.optimiser);
    step.dispose();
    const resumed = workOf(adapted(0.5));
    resumed.vector.restore(first.vector.snapshot());
    const next = resumed.prepare(1);
    const report = resumed.vector.descend(next.losses, 2, 1e-2, resumed.optimiser);
    next.dispose();
    expect(report).toEqual(whole.reports[1]);
    expect(resumed.vector.arrays()).toEqual(whole.weights);
    first.vector.dispose();
    resumed.vector.dispose();
  });

  it('draws the same where layers are computed again', () => {
    expect(train(0.5, { checkpointing: true })).toEqual(train(0.5));
  });

  it('stays out of validation', () => {
    const [a, b] = [0, 0.5].map((dropout) => {
      const work = workOf(adapted(dropout));
      const { loss, accuracy } = work.validate(work.vector.parameters);
      work.vector.dispose();
      return { loss, accuracy };
    });
    expect(a).toEqual(b);
  });
});

describe('tuning.dropout', () => {
  it('draws afresh at every step, and for every part of a step', () => {
    const context = adapted(0.5, {
      stages: { cot: { batch: 1, microBatch: 1 } },
    });
    const once = { ...context, train: [context.train[0]!] };
    const twice = { ...adapted(0.5, { stages: { cot: { batch: 2, microBatch: 1 } } }), train: once.train };
    const work = works.cot!(once);
    const [first, second, again] = [lossAt(work, 0), lossAt(work, 1), lossAt(work, 0)];
    work.vector.dispose();
    expect(Math.abs(first! - second!)).toBeGreaterThan(1e-4);
    expect(again).toBeCloseTo(first!, 5);
    // the same example twice in two parts: were their draws the same, so were the loss of one
    const parts = works.cot!(twice);
    expect(Math.abs(lossAt(parts, 0) - first!)).toBeGreaterThan(1e-4);
    parts.vector.dispose();
  });

  it('leaves alone the model that stands still', () => {
    // an adapter whose B is zero adds nothing, whatever it sees: only the encoder could make a difference
    const losses = [0, 0.5].map((dropout) => {
      const context = adapted(dropout);
      const encoder = encoderOf(true);
      const frozen = parametersFrom(encoder);
      const work = stageOne(
        context,
        'decoder',
        { encoder, decoder: adapterOf(2, false) },
        { encoder: frozen },
      );
      const loss = lossAt(work, 0);
      work.vector.dispose();
      disposeParameters(frozen);
      return loss;
    });
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
  });

  it('stays out of labels', () => {
    const [a, b] = [0, 0.5].map((dropout) => {
      const context = adapted(dropout);
      const moving = {
        encoder: parametersFrom(encoderOf(true)),
        decoder: parametersFrom(adapterOf(2, true)),
      };
      const made = usingModel(base, moving.encoder, (encoder) =>
        usingModel(base, moving.decoder, (decoder) =>
          softLabels(context, { encoder, decoder }, context.train),
        ),
      );
      for (const parameters of Object.values(moving)) disposeParameters(parameters);
      return made;
    });
    expect(a).toEqual(b);
  });
});
