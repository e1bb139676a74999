import { randomStream } from '@latent-sft/random';
import { describe, expect, it } from 'vitest';
import { argmax, sampleToken } from '../src/index.js';

const logits = Float32Array.from([1, 3, 2, -4]);
const draw = (topP: number, temperature: number, step: number, row = 0) =>
  sampleToken(logits, { kind: 'nucleus', temperature, topP, seed: 5 }, row, step);
const shares = (topP: number, temperature = 1) => {
  const counts = [0, 0, 0, 0];
  for (let step = 0; step < 4000; step++) counts[draw(topP, temperature, step)]!++;
  return counts.map((count) => count / 4000);
};

describe('sampleToken', () => {
  it('takes the most probable token, and the first of equals', () => {
    expect(sampleToken(logits, { kind: 'greedy' }, 0, 0)).toBe(1);
    expect(argmax([0, 2, 2])).toBe(1);
    expect(draw(1e-9, 1, 0)).toBe(1);
  });

  it('draws in proportion to softmax(logits / temperature)', () => {
    for (const temperature of [1, 2]) {
      const powers = [...logits].map((logit) => Math.exp(logit / temperature));
      const total = powers.reduce((sum, power) => sum + power, 0);
      // Five standard errors of 4,000 draws.
      shares(1, temperature).forEach((share, id) => {
        expect(Math.abs(share - powers[id]! / total)).toBeLessThan(0.04);
      });
    }
  });

  it('draws from the fewest tokens that hold top-p, renormalised', () => {
    // softmax gives token 1 0.665 and token 2 0.245.
    const [zero, first, second, third] = shares(0.8);
    expect([zero, third]).toEqual([0, 0]);
    expect(Math.abs(first! - 0.665 / 0.91)).toBeLessThan(0.04);
    expect(Math.abs(second! - 0.245 / 0.91)).toBeLessThan(0.04);
  });

  it('draws as from all tokens sorted, however many there are and however they lie', () => {
    const sorted = (values: Float32Array, topP: number, temperature: number, step: number) => {
      const highest = Math.max(...values);
      const powers = Array.from(values, (value) => Math.exp((value - highest) / temperature));
      const total = powers.reduce((sum, power) => sum + power, 0);
      const order = powers.map((_, id) => id).sort((a, b) => powers[b]! - powers[a]!);
      const nucleus: number[] = [];
      let mass = 0;
      for (const id of order) {
        nucleus.push(id);
        mass += powers[id]! / total;
        if (mass >= topP) break;
      }
      let left = randomStream(5, 'sample/0', step).uniform(1)[0]! * mass;
      for (const id of nucleus) {
        left -= powers[id]! / total;
        if (left <= 0) return id;
      }
      return nucleus.at(-1);
    };
    for (const spread of [0, 0.1, 3, 40]) {
      for (const topP of [0.01, 0.5, 0.9, 0.999, 1]) {
        for (let step = 0; step < 20; step++) {
          const values = randomStream(7, `logits/${spread}`, step)
            .normal(300)
            .map((value) => value * spread);
          const sampling = { kind: 'nucleus', temperature: 0.8, topP, seed: 5 } as const;
          expect(sampleToken(values, sampling, 0, step)).toBe(sorted(values, topP, 0.8, step));
        }
      }
    }
  });

  it('is a function of seed, row and step', () => {
    const many = (row: number) => Array.from({ length: 40 }, (_, step) => draw(1, 2, step, row));
    expect(many(3)).toEqual(many(3));
    expect(many(3)).not.toEqual(many(4));
  });

  it('refuses a temperature or a top-p that is no share', () => {
    expect(() => draw(1, 0, 0)).toThrow('sampleToken: expected a temperature above 0, got 0');
    for (const topP of [0, 1.5]) {
      expect(() => draw(topP, 1, 0)).toThrow(`sampleToken: expected top-p within (0, 1], got ${topP}`);
    }
  });
});
