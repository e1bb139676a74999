import { describe, expect, it } from 'vitest';
import { sideBySide } from '../src/measure/expected-memory.js';

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
          ['official', 5],
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
