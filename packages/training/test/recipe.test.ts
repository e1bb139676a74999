import { describe, expect, it } from 'vitest';
import { nearest, parseRecipe, type RecipeInput, recipeJsonSchema, stagesOf } from '../src/index.js';

const least: RecipeInput = { name: 'least', data: { source: 'modular-arithmetic' } };
const failing = (changes: object) => () => parseRecipe({ ...least, ...changes }, 'my.yaml');

describe('parseRecipe', () => {
  it('writes every default out, and a resolved recipe resolves to itself', () => {
    const recipe = parseRecipe(least);
    expect(recipe.segmenter).toEqual({ by: 'rate', rate: 2 });
    expect(recipe.latent.noise).toEqual({ variant: 'plain', scale: 0.5 });
    expect(recipe.stages.student.schedule).toEqual(['kl', 'ce']);
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  it.each([
    [
      { model: { widht: 32 } },
      'parseRecipe: my.yaml: expected only known keys in model, got widht (did you mean width?)',
    ],
    [
      { stages: { student: { scedule: 'joint' } } },
      'in stages.student, got scedule (did you mean schedule?)',
    ],
    [{ stages: { no_cot: {} } }, 'in stages, got no_cot (did you mean no-cot?)'],
    [{ sead: 3 }, 'in the recipe, got sead (did you mean seed?)'],
    [{ latent: { noise: { sacle: 1 } } }, 'in latent.noise, got sacle (did you mean scale?)'],
    [{ optimiser: { momentum: 0.9 } }, 'in optimiser, got momentum'],
    [
      { data: { source: 'modular-arithmetic', opperations: 2 } },
      'in data, got opperations (did you mean operations?)',
    ],
    [{ segmenter: { by: 'rate', rade: 2 } }, 'segmenter'],
  ])('names an unknown key and the nearest known one: %j', (changes, message) => {
    expect(failing(changes)).toThrow(message);
  });

  it.each([
    [{ segmenter: { by: 'rate', rate: 0 } }, 'at segmenter.rate', 'got 0'],
    [{ segmenter: { by: 'rate', rate: 1.5 } }, 'at segmenter.rate', 'got 1.5'],
    [{ segmenter: { by: 'word' } }, 'at segmenter', 'got "word"'],
    [{ latent: { temperature: 0 } }, 'at latent.temperature', 'got 0'],
    [{ latent: { support: 0 } }, 'at latent.support', 'got 0'],
    [{ stages: { cot: { steps: -1 } } }, 'at stages.cot.steps', 'got -1'],
    [{ seed: 2 ** 32 }, 'at seed', 'got 4294967296'],
    [{ name: 'a/b' }, 'at name', 'got "a/b"'],
    [{ data: { source: 'chess' } }, 'at data.source', 'got "chess"'],
  ])('names the place and the value of what it does not take: %j', (changes, place, got) => {
    expect(failing(changes)).toThrow(place);
    expect(failing(changes)).toThrow(got);
    expect(failing(changes)).toThrow(/^parseRecipe: my\.yaml: /);
  });

  it.each([
    [
      { model: { width: 30, heads: 4 } },
      'expected model.width to be a multiple of model.heads, got 30 and 4',
    ],
    [
      { model: { keyValueHeads: 3 } },
      'expected model.heads to be a multiple of model.keyValueHeads, got 4 and 3',
    ],
    [{ model: { width: 12, heads: 4 } }, 'expected an even head width for rotary positions, got 3'],
    [{ latent: { support: 4 }, stages: { student: { klSupport: 'full' } } }, 'got full with 4'],
    [{ stages: { student: { klSupport: 'sparse' } } }, 'got sparse with full'],
    [
      { masks: { decoder: 'causal' }, stages: { union: { supervision: 'strict-suffix' } } },
      'expected masks.decoder ltsum with stages.union.supervision strict-suffix',
    ],
    [{ stages: { union: { steps: 5 } } }, 'expected stages.cot.steps above 0'],
    [
      { stages: { cot: { steps: 5 }, student: { steps: 5 } } },
      'expected steps in stages.encoder, decoder or union',
    ],
  ])('refuses settings that contradict each other: %j', (changes, message) => {
    expect(failing(changes)).toThrow(message);
  });

  it.each([[null], ['text'], [[]], [{}]])('refuses what is no recipe at all: %j', (value) => {
    expect(() => parseRecipe(value, 'my.yaml')).toThrow(/^parseRecipe: my\.yaml: .*got/);
  });
});

describe('what follows from a recipe', () => {
  it('its stages in order, labels before the student, those of 0 steps left out', () => {
    const stages = { student: { steps: 1 }, union: { steps: 1 }, cot: { steps: 1 } };
    expect(stagesOf(parseRecipe({ ...least, stages }))).toEqual(['cot', 'union', 'labels', 'student']);
    expect(stagesOf(parseRecipe(least))).toEqual([]);
  });

  it('a JSON Schema with the same keys, for editors', () => {
    const schema = recipeJsonSchema() as { properties: object; required: string[] };
    expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(parseRecipe(least)).sort());
    expect(schema.required).toEqual(['name', 'data']);
  });
});

describe('nearest', () => {
  it('gives the nearest word, and none where all are far', () => {
    expect(nearest('stpes', ['steps', 'batch'])).toBe('steps');
    expect(nearest('momentum', ['beta1', 'clip'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });
});
