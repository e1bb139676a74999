import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleOrder } from '../src/index.js';

describe('exampleOrder', () => {
  it('shows every example once an epoch, each epoch in its own order', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 7 }),
        (seed, examples, batch) => {
          const order = exampleOrder(seed, 'cot', examples, batch);
          // As many steps as make whole epochs: every example comes `batch` times.
          const seen = Array.from({ length: examples }, (_, step) => order(step)).flat();
          for (let epoch = 0; epoch < batch; epoch++) {
            const part = seen.slice(epoch * examples, (epoch + 1) * examples);
            expect(part.sort((a, b) => a - b)).toEqual(Array.from({ length: examples }, (_, i) => i));
          }
        },
      ),
    );
    const epochs = exampleOrder(1, 'cot', 20, 20);
    expect(epochs(0)).not.toEqual(epochs(1));
  });

  it('is a function of the step alone, whatever was asked before', () => {
    const asked = exampleOrder(3, 'union', 10, 4);
    const forwards = [0, 1, 2, 3, 4, 5].map(asked);
    const backwards = [5, 4, 3, 2, 1, 0].map(exampleOrder(3, 'union', 10, 4)).reverse();
    expect(backwards).toEqual(forwards);
  });

  it('differs by seed and by label', () => {
    const first = (seed: number, label: string) => exampleOrder(seed, label, 50, 50)(0);
    expect(first(1, 'cot')).not.toEqual(first(2, 'cot'));
    expect(first(1, 'cot')).not.toEqual(first(1, 'student'));
  });

  it('refuses to order nothing', () => {
    expect(() => exampleOrder(1, 'cot', 0, 4)).toThrow('exampleOrder: expected at least one example, got 0');
  });
});
