import { describe, expect, it } from 'vitest';
import { shapeOf } from '../src/shapes/shape.js';
import { scalingPoints } from '../src/suites/scaling-suite.js';

describe('scalingPoints', () => {
  const points = scalingPoints(shapeOf('demo'));
  const tokens = points
    .filter(({ name }) => name.startsWith('chain'))
    .map(({ shape }) => shape.batch * shape.lengths[0]![1]);

  it('changes the length of a chain, and not the tokens of a step', () => {
    expect(tokens).toEqual(Array(7).fill(8192));
  });

  it('changes the batch alone, and the rate alone', () => {
    const of = (start: string) =>
      points.filter(({ name }) => name.startsWith(start)).map(({ shape }) => shape);
    expect(of('batch').map(({ batch }) => batch)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(of('rate').map(({ rate }) => rate)).toEqual([2, 4, 8, 16]);
    for (const [name, fixed] of [
      ['batch', 'rate'],
      ['rate', 'batch'],
    ] as const) {
      expect(new Set(of(name).map((shape) => shape[fixed])).size).toBe(1);
    }
  });
});
