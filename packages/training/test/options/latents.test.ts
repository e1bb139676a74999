import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, describe, expect, it } from 'vitest';
import { encoderBatch, latentVectors, type RecipeInput } from '../../src/index.js';
import {
  allDiffer,
  contextOf,
  END,
  labelsOf,
  stageOneLoss,
  stageOneWork,
  weightsOf,
  withModels,
} from './fixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');
const tensors = countTensors();
afterAll(() => expect(countTensors()).toBe(tensors));

type Latent = NonNullable<RecipeInput['latent']>;
const untied = { tiedEmbeddings: false };

/** The mixtures of the first example over the whole vocabulary, a row a latent. */
function mixturesOf(latent: Latent, model: RecipeInput['model'] = untied): number[][] {
  const context = contextOf({ latent, model });
  const [{ alphas }] = labelsOf(context) as [{ alphas: Float32Array }];
  const { vocabularySize } = context.config;
  return context.train[0]!.segments.map((_, i) => [
    ...alphas.subarray(i * vocabularySize, (i + 1) * vocabularySize),
  ]);
}

const entropy = (row: readonly number[]) => -row.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0);
const close = (actual: readonly number[], expected: readonly number[], within = 1e-5) =>
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(within);
  });

describe('segmenter: how many latents there are', () => {
  it.each([1, 2, 3, 50])('by rate %i: one for every so many chain tokens, and one for the rest', (rate) => {
    const context = contextOf({ segmenter: { by: 'rate', rate } });
    const chains = contextOf({ segmenter: { by: 'rate', rate: 1 } }).train.map(
      ({ segments }) => segments.length,
    );
    const latents = chains.map((tokens) => Math.ceil(tokens / rate));
    expect(context.train.map(({ segments }) => segments.length)).toEqual(latents);
    expect(encoderBatch(context, context.train).latentRows.length).toBe(latents.reduce((a, b) => a + b, 0));
  });

  it('by step: one for every step as it was written', () => {
    const context = contextOf({ segmenter: { by: 'step' } });
    const steps = context.validationRecords.map((record) => record.steps.length);
    expect(context.train.map(({ segments }) => segments.length)).toEqual(steps);
  });
});

describe('latent.readout: which table mixtures are read from', () => {
  it('makes two mixtures of one state where the tables are two', () => {
    const head = mixturesOf({ readout: 'lm-head' });
    const table = mixturesOf({ readout: 'input-table' });
    expect(Math.max(...head[0]!.map((p, i) => Math.abs(p - table[0]![i]!)))).toBeGreaterThan(0.01);
  });

  it('makes no difference where they are one', () => {
    const tied = { tiedEmbeddings: true };
    expect(mixturesOf({ readout: 'input-table' }, tied)).toEqual(mixturesOf({ readout: 'lm-head' }, tied));
  });

  it('never says what is mixed: the input table', () => {
    const context = contextOf({ latent: { readout: 'lm-head' }, model: untied });
    const [[latent]] = withModels(context, (models) => latentVectors(context, models, context.train)) as [
      Float32Array[],
    ];
    const [alpha] = mixturesOf({ readout: 'lm-head' });
    const table = weightsOf(context).decoder.get('model.embed_tokens.weight')!.data;
    const mixed = Array.from({ length: 16 }, (_, d) =>
      alpha!.reduce((sum, p, i) => sum + p * table[i * 16 + d]!, 0),
    );
    close([...latent!], mixed);
  });
});

describe('latent.support: how many words a mixture holds', () => {
  it('keeps the most probable words with their own probabilities as labels', () => {
    const [full] = mixturesOf({ support: 'full' });
    const [labels] = labelsOf(contextOf({ latent: { support: 3 }, model: untied }));
    const ids = [...labels!.ids!.subarray(0, 3)];
    const best = full!.map((p, id) => ({ p, id })).sort((a, b) => b.p - a.p);
    expect(ids).toEqual(best.slice(0, 3).map(({ id }) => id));
    close(
      [...labels!.alphas.subarray(0, 3)],
      best.slice(0, 3).map(({ p }) => p),
    );
  });

  it('beyond the vocabulary is the whole of it', () => {
    const all = stageOneLoss(contextOf({ latent: { support: 10_000, noise: { variant: 'none' } } }));
    const full = stageOneLoss(contextOf({ latent: { support: 'full', noise: { variant: 'none' } } }));
    expect(all).toBeCloseTo(full, 5);
  });

  it('changes what the decoder reads', () => {
    const losses = ([1, 3, 'full'] as const).map((support) =>
      stageOneLoss(contextOf({ latent: { support, noise: { variant: 'none' } } })),
    );
    expect(allDiffer(losses)).toBe(true);
  });
});

it('latent.temperature flattens mixtures: at twice the temperature, half the log-ratios', () => {
  const [sharp, flat] = [1, 2].map((temperature) => mixturesOf({ temperature })[0]!);
  expect(entropy(flat!)).toBeGreaterThan(entropy(sharp!));
  const words = sharp!.map((_, id) => id).filter((id) => id !== END);
  const ratios = (row: readonly number[]) => words.map((id) => Math.log(row[id]! / row[words[0]!]!));
  close(
    ratios(flat!),
    ratios(sharp!).map((ratio) => ratio / 2),
    1e-4,
  );
});

it('latent.endMarkerInMixtures gives the end marker its share; the others keep their proportions', () => {
  const without = mixturesOf({ endMarkerInMixtures: false });
  const within = mixturesOf({ endMarkerInMixtures: true });
  without.forEach((row, i) => {
    expect(row[END]).toBe(0);
    const share = within[i]![END]!;
    expect(share).toBeGreaterThan(0.001);
    close(
      row.filter((_, id) => id !== END),
      within[i]!.filter((_, id) => id !== END).map((p) => p / (1 - share)),
    );
  });
});

describe('latent.noise: Gumbel noise in the head while stage 1 trains', () => {
  const variants = ['none', 'plain', 'clamped', 'one-sided'] as const;
  const lossWith = (variant: (typeof variants)[number], scale: number) =>
    stageOneLoss(contextOf({ latent: { noise: { variant, scale } } }));

  it('gives each variant another loss, and none at scale 0', () => {
    const losses = variants.map((variant) => lossWith(variant, 1.5));
    expect(allDiffer(losses)).toBe(true);
    for (const variant of variants) expect(lossWith(variant, 0)).toBe(losses[0]);
    // far below the bounds of the clamp the two are the same
    expect(lossWith('clamped', 1e-3)).toBe(lossWith('plain', 1e-3));
  });

  it('is drawn afresh at every step, and the same at the same step', () => {
    const work = stageOneWork(contextOf({ latent: { noise: { variant: 'plain', scale: 1 } } }));
    const lossAt = (step: number) => {
      const prepared = work.prepare(step);
      const { loss } = work.vector.descend(prepared.losses, 1, 1e-30, work.optimiser);
      prepared.dispose();
      return loss;
    };
    // every step sees all examples, so that only noise differs
    const losses = [lossAt(0), lossAt(1), lossAt(0)];
    work.vector.dispose();
    expect(losses[2]).toBeCloseTo(losses[0]!, 5);
    expect(Math.abs(losses[1]! - losses[0]!)).toBeGreaterThan(1e-3);
  });

  it('stays out of validation and of labels', () => {
    const noisy = contextOf({ latent: { noise: { variant: 'plain', scale: 2 } } });
    const quiet = contextOf({ latent: { noise: { variant: 'none' } } });
    expect(labelsOf(noisy)).toEqual(labelsOf(quiet));
    const [a, b] = [noisy, quiet].map((context) => {
      const work = stageOneWork(context);
      const validation = work.validate(work.vector.parameters);
      work.vector.dispose();
      return validation;
    });
    expect(a).toEqual(b);
  });
});
