import { describe, expect, it } from 'vitest';
import { type BenchOptions, checkOptions, suitesNamed } from '../src/index.js';
import { lengthsOf, shapeOf } from '../src/shapes/shape.js';

const options: BenchOptions = {
  suites: ['stage1'],
  shapes: ['demo'],
  rounds: 2,
  warmUps: 1,
  threads: 1,
  backend: 'auto',
  weights: 'random',
  seed: 1,
  latents: 4,
  tokens: 4,
};

describe('options', () => {
  it('takes what is right', () => {
    expect(() => checkOptions(options)).not.toThrow();
    expect(suitesNamed('all')).toContain('stage2');
  });

  it.each([
    [{ rounds: 0 }, 'expected rounds to be a whole number from 1 on, got 0'],
    [{ threads: 1.5 }, 'expected threads to be a whole number from 1 on, got 1.5'],
    [{ layers: 0 }, 'expected layers to be a whole number from 1 on, got 0'],
    [{ seed: -1 }, 'expected seed to be a whole number from 0 on, got -1'],
    [{ shapes: ['large'] }, 'expected a shape of demo, smollm2, got large'],
    [{ peers: ['jax'] }, 'expected a peer of latent-sft'],
  ])('refuses %o', (change, sentence) => {
    expect(() => checkOptions({ ...options, ...change } as BenchOptions)).toThrow(sentence);
  });

  it('refuses suites that are unknown', () => {
    expect(() => suitesNamed('stage3')).toThrow('expected one of stage1, stage2, decode');
  });
});

describe('shapes', () => {
  it('spreads a batch evenly over the lengths', () => {
    expect(lengthsOf(shapeOf('smollm2'), 2)).toEqual([
      [49, 22, 4],
      [83, 32, 3],
    ]);
    expect(lengthsOf(shapeOf('demo'), 3)).toEqual(Array(3).fill([8, 12, 2]));
    expect(lengthsOf(shapeOf('smollm2'), 128)).toHaveLength(128);
  });

  it('takes fewer layers', () => {
    expect(shapeOf('smollm2', { layers: 2 }).config.layers).toBe(2);
  });
});
