import { describe, expect, it } from 'vitest';
import { philox } from '../src/index.js';

describe('philox', () => {
  // Known answers of philox4x32 with 10 rounds: Random123 1.14, file tests/kat_vectors.
  it.each([
    {
      counter: [0, 0, 0, 0] as const,
      key: [0, 0] as const,
      words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff] as const,
      key: [0xffffffff, 0xffffffff] as const,
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const,
      key: [0xa4093822, 0x299f31d0] as const,
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])('gives the known words for counter $counter', ({ counter, key, words }) => {
    expect(philox(counter, key)).toEqual(words);
  });
});
