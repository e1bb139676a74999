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
    return count++;
  };
  const results = await takeTurns(
    [runner('a'), runner('b')],
    { rounds: 1, seconds: 0 },
    { rounds: 2, seconds: 0 },
    0,
  );
  expect(order.join('')).toBe('abbaab');
  expect(results).toEqual([
    [3, 4],
    [2, 5],
  ]);
});

it('warms up until the time has gone by', async () => {
  let runs = 0;
  const begin = performance.now();
  const [kept] = await takeTurns(
    [async () => [runs++, performance.now() - begin] as const],
    { rounds: 1, seconds: 0.02 },
    { rounds: 2, seconds: 0 },
    1,
  );
  expect(kept).toHaveLength(2);
  expect(kept![0]![0]).toBeGreaterThan(1);
  expect(kept![0]![1]).toBeGreaterThanOrEqual(20);
});

it('goes on with rounds that are kept until the time has gone by', async () => {
  let runs = 0;
  const [kept] = await takeTurns(
    [async () => runs++],
    { rounds: 3, seconds: 0 },
    { rounds: 2, seconds: 0.03 },
    1,
  );
  expect(kept!.length).toBeGreaterThan(2);
  expect(kept![0]).toBe(3);
  expect(runs).toBe(3 + kept!.length);
});
