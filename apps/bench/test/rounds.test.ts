import { expect, it } from 'vitest';
import { orderOf, takeTurns } from '../src/measure/rounds.js';

it('rotates who begins', () => {
  expect([0, 1, 2, 3].map((round) => orderOf(3, round))).toEqual([
    [0, 1, 2],
    [1, 2, 0],
    [2, 0, 1],
    [0, 1, 2],
  ]);
});

it('runs one at a time, each as often in every place, and throws warm-ups away', async () => {
  const order: string[] = [];
  let [running, count] = [0, 0];
  const runner = (name: string) => async () => {
    expect(running++).toBe(0);
    order.push(name);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return { wallSeconds: 0, count: count++ };
  };
  const results = await takeTurns(
    [runner('a'), runner('b')],
    { rounds: 1, seconds: 0 },
    { rounds: 2, seconds: 0 },
    0,
  );
  expect(order.join('')).toBe('abbaab');
  expect(results.map((turns) => turns.map(({ count }) => count))).toEqual([
    [3, 4],
    [2, 5],
  ]);
});

const lasting = (wallSeconds: number) => {
  let runs = 0;
  return async () => ({ wallSeconds, run: runs++ });
};

it('warms up, and goes on with rounds that are kept, until each has run for so long itself', async () => {
  const [quick, slow] = await takeTurns(
    [lasting(0.25), lasting(1)],
    { rounds: 1, seconds: 1.5 },
    { rounds: 2, seconds: 1 },
    0,
  );
  // six rounds of a quarter of a second to get warm, and four that are kept
  for (const turns of [quick!, slow!]) expect(turns.map(({ run }) => run)).toEqual([6, 7, 8, 9]);
});

it('waits for no runner that has failed', async () => {
  const turns = await takeTurns(
    [lasting(0.5), async () => null],
    { rounds: 0, seconds: 0 },
    { rounds: 1, seconds: 1 },
    0,
  );
  expect(turns.map(({ length }) => length)).toEqual([2, 2]);
});
