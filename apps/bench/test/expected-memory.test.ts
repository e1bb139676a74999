import { describe, expect, it } from 'vitest';
import { expectedBytes, sideBySide } from '../src/measure/expected-memory.js';
import { shapeOf } from '../src/shapes/shape.js';
import { makeExamples } from '../src/workload/make-examples.js';
import type { WorkDescription } from '../src/workload/work-file.js';

describe('expectedBytes', () => {
  const bytes = (peer: 'latent-sft' | 'best', chain: number) => {
    const shape = { ...shapeOf('demo'), lengths: [[8, chain, 2]] as const };
    const work = { config: shape.config, examples: makeExamples(shape, 1, 1), training: { method: 'full' } };
    return expectedBytes(peer, work as unknown as WorkDescription);
  };

  it('counts dense masks of peers, with the square of a chain', () => {
    const masks = (chain: number) => bytes('best', chain) - bytes('latent-sft', chain);
    expect(masks(8192) / masks(4096)).toBeCloseTo(4, 1);
    // rows of a chain with a latent every two tokens, squared, in both models
    expect(masks(8192)).toBeCloseTo(3 * 4 * 2 * 12_300 ** 2, -8);
  });
});

describe('sideBySide', () => {
  it('keeps peers together where they fit', () => {
    expect(
      sideBySide(
        [
          ['latent-sft', 2],
          ['official', 3],
          ['best', 2],
        ],
        10,
      ),
    ).toEqual({
      groups: [['latent-sft', 'official', 'best']],
      tooLarge: [],
    });
  });

  it('gives a large peer rounds with ours alone', () => {
    expect(
      sideBySide(
        [
          ['latent-sft', 2],
          ['official', 6],
          ['best', 2],
        ],
        10,
      ),
    ).toEqual({
      groups: [
        ['latent-sft', 'best'],
        ['latent-sft', 'official'],
      ],
      tooLarge: [],
    });
  });

  it('leaves out what does not fit beside ours, and measures ours all the same', () => {
    expect(
      sideBySide(
        [
          ['latent-sft', 2],
          ['official', 9],
        ],
        10,
      ),
    ).toEqual({
      groups: [['latent-sft']],
      tooLarge: [['official', 9]],
    });
  });
});
