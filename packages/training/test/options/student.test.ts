import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExampleLabels, RecipeInput } from '../../src/index.js';
import { allDiffer, contextOf, descend, END, labelsOf, studentReport, studentWork } from './fixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');
const tensors = countTensors();
afterAll(() => expect(countTensors()).toBe(tensors));

type Student = NonNullable<NonNullable<RecipeInput['stages']>['student']>;
type Latent = NonNullable<RecipeInput['latent']>;

const contextFor = (student: Student, latent: Latent = {}) => contextOf({ latent, stages: { student } });
const labels = labelsOf(contextOf());
const top3: Latent = { support: 3, temperature: 1 };
const sparseLabels = labelsOf(contextOf({ latent: top3 }));

describe('schedule: what each step descends', () => {
  it.each([
    [
      'joint',
      [
        ['kl', 'ce'],
        ['kl', 'ce'],
        ['kl', 'ce'],
      ],
    ],
    [
      ['kl', 'ce'],
      [['kl'], ['ce'], ['kl']],
    ],
    [
      ['kl', 'ce', 'joint'],
      [['kl'], ['ce'], ['kl', 'ce']],
    ],
  ] as const)('%j', (schedule, terms) => {
    const { reports } = descend(
      studentWork(contextFor({ schedule: schedule as Student['schedule'] }), labels),
      3,
    );
    expect(reports.map(({ parts }) => Object.keys(parts))).toEqual(terms);
    for (const { loss, parts } of reports) {
      expect(loss).toBeCloseTo(
        Object.values(parts).reduce((a, b) => a + b, 0),
        5,
      );
    }
  });
});

it('klWeight and ceWeight multiply their terms', () => {
  const { parts } = studentReport(contextFor({ schedule: 'joint' }), labels);
  for (const [klWeight, ceWeight] of [
    [0.3, 1],
    [1, 4],
    [0, 1],
    [1, 0],
  ] as const) {
    const { loss } = studentReport(contextFor({ schedule: 'joint', klWeight, ceWeight }), labels);
    expect(loss).toBeCloseTo(klWeight * parts.kl! + ceWeight * parts.ce!, 5);
  }
});

describe('klSupport: which words the KL compares', () => {
  const klOf = (klSupport: NonNullable<Student['klSupport']>, latent: Latent, given: ExampleLabels[]) =>
    studentReport(contextFor({ schedule: ['kl'], klSupport }, latent), given).loss;

  it('full, sparse and sparse with a tail bucket are three', () => {
    const losses = [
      klOf('full', { temperature: 1 }, labelsOf(contextOf({ latent: { temperature: 1 } }))),
      klOf('sparse', top3, sparseLabels),
      klOf('sparse+tail', top3, sparseLabels),
    ];
    expect(allDiffer(losses)).toBe(true);
  });

  it('sparse over as many words as there are is full', () => {
    const { vocabularySize } = contextOf().config;
    const every: Latent = { support: vocabularySize };
    const sparse = klOf('sparse', every, labelsOf(contextOf({ latent: every })));
    expect(sparse).toBeCloseTo(klOf('full', {}, labels), 4);
  });
});

describe('noise: Gumbel noise on the labels', () => {
  const noisy = (noise: NonNullable<Student['noise']>, given = labels, latent: Latent = {}) =>
    studentReport(contextFor({ schedule: ['kl'], noise }, latent), given).loss;
  const variants = ['none', 'plain', 'clamped', 'one-sided'] as const;

  it('gives each variant another loss, and none at scale 0', () => {
    const losses = variants.map((variant) => noisy({ variant, scale: 1.5 }));
    expect(allDiffer(losses)).toBe(true);
    for (const variant of variants) expect(noisy({ variant, scale: 0 })).toBe(losses[0]);
    expect(noisy({ variant: 'clamped', scale: 1e-3 })).toBe(noisy({ variant: 'plain', scale: 1e-3 }));
  });

  it('leaves the labels as they are where it is small, at every temperature of the head', () => {
    for (const temperature of [1, 2]) {
      const given = labelsOf(contextOf({ latent: { temperature } }));
      const kl = (scale: number) => noisy({ variant: 'plain', scale }, given, { temperature });
      expect(Math.abs(kl(1e-5) - kl(0))).toBeLessThan(1e-4 * kl(0));
    }
  });

  it('stays out of validation', () => {
    const [a, b] = (['none', 'plain'] as const).map((variant) => {
      const work = studentWork(contextFor({ noise: { variant } }), labels);
      const validation = work.validate(work.vector.parameters);
      work.vector.dispose();
      return validation;
    });
    expect(a).toEqual(b);
  });

  it('guard: draws again while the end marker leads a label, and says so if it always does', () => {
    const led = sparseLabels.map(({ alphas, ids }) => ({
      alphas: alphas.map((_, i) => (i % 3 === 0 ? 1 : 1e-30)),
      ids: ids!.map((id, i) => (i % 3 === 0 ? END : id)),
    }));
    const warnings = (guard: boolean) => {
      const noise = { variant: 'plain', scale: 0.01, guard } as const;
      const work = studentWork(contextFor({ noise }, top3), led);
      const prepared = work.prepare(0);
      prepared.dispose();
      work.vector.dispose();
      return prepared.warnings;
    };
    expect(warnings(true)).toHaveLength(4);
    expect(warnings(false)).toEqual([]);
  });

  it('guard: keeps noise from making the end marker what a label says', () => {
    // the marker is one of two words and leads about half of the draws
    const even = sparseLabels.map(({ alphas, ids }) => ({
      alphas: alphas.map((_, i) => [0.499, 0.501, 0][i % 3]!),
      ids: ids!.map((id, i) => [END, END + 3, id][i % 3]!),
    }));
    const work = (guard: boolean) => noisy({ variant: 'plain', scale: 1, guard }, even, top3);
    expect(Math.abs(work(true) - work(false))).toBeGreaterThan(1e-3);
    // without noise that leads with the marker, the guard changes nothing
    const seldom = even.map((one) => ({ ...one, alphas: one.alphas.map((_, i) => [1e-30, 1, 0][i % 3]!) }));
    const draw = (guard: boolean) => noisy({ variant: 'plain', scale: 0.1, guard }, seldom, top3);
    expect(draw(true)).toBe(draw(false));
  });
});

it('latent.temperature tempers the KL of the student too', () => {
  const kl = (temperature: number) =>
    studentReport(
      contextFor({ schedule: ['kl'] }, { temperature }),
      labelsOf(contextOf({ latent: { temperature } })),
    ).loss;
  expect(allDiffer([kl(1), kl(2), kl(4)])).toBe(true);
});
