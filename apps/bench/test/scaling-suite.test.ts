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

  it('says why a peer is left out of long chains', () => {
    const skipped = points.filter((point) => point.skipped.length > 0).map(({ name }) => name);
    expect(skipped).toEqual(['chain-4096', 'chain-8192']);
  });
});
