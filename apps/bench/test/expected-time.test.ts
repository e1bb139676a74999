import { describe, expect, it } from 'vitest';
import { expectedSeconds, inMinutes } from '../src/measure/expected-time.js';
import type { BenchCase } from '../src/suites/suite.js';

const one: BenchCase = { name: 'a', title: 'a', examples: 1, tokens: 1, tolerance: 0, flops: null };
const runs = { warmUp: { rounds: 1, seconds: 0 }, measured: { rounds: 3, seconds: 0 }, threads: 2 };

describe('expectedSeconds', () => {
  it('adds up starts and runs, each peer as slow as it is expected to be', () => {
    const cases = [{ ...one, flops: 1.6e11 }];
    // ours 6 s and 5 runs of 1 s; official 6 s and 5 of 3 s
    expect(expectedSeconds([{ peers: ['latent-sft', 'official'], cases }], runs)).toBeCloseTo(32);
  });

  it('takes guesses where nothing is known, and a tenth of a second at least', () => {
    const guessed = [{ ...one, expected: { flops: 1e10, bytes: 2e10, checks: 3 } }];
    expect(expectedSeconds([{ peers: ['latent-sft'], cases: guessed }], runs)).toBeCloseTo(6 + 7 * 2);
    expect(expectedSeconds([{ peers: ['latent-sft'], cases: [one] }], runs)).toBeCloseTo(6.5);
  });

  it('warms up and measures for some time', () => {
    const cases = [one];
    const long = { ...runs, warmUp: { rounds: 1, seconds: 1.5 }, measured: { rounds: 3, seconds: 1 } };
    // starts, and of each a check, 30 rounds and 20 rounds of 0.1 s, half of that itself
    expect(expectedSeconds([{ peers: ['latent-sft', 'best'], cases }], long)).toBeCloseTo(12 + 2 * 5.1);
    // ten seconds of checking are warm enough
    const slow = [{ ...one, flops: 1.6e12 }];
    expect(expectedSeconds([{ peers: ['latent-sft'], cases: slow }], long)).toBeCloseTo(6 + 10 + 30);
  });

  it('is said in words', () => {
    expect([4, 88, 600, 7200].map(inMinutes)).toEqual(['10 s', '90 s', '10 min', '2.0 h']);
  });
});
