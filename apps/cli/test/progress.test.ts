import { describe, expect, it } from 'vitest';
import { duration, Progress } from '../src/output/progress.js';

function watched(interactive: boolean, columns = 100) {
  const notes: string[] = [];
  let nowMs = 0;
  const terminal = { result: () => {}, note: (text: string) => void notes.push(text), interactive, columns };
  const progress = new Progress(terminal, () => nowMs);
  const step = (done: number, atMs: number) => {
    nowMs = atMs;
    progress.update({ name: 'cot', done, total: 100, unit: 'steps', details: [`loss ${done}`] });
  };
  return { notes, progress, step };
}

describe('Progress', () => {
  it('writes about ten plain lines where lines cannot be redrawn', () => {
    const { notes, progress, step } = watched(false);
    progress.begin('cot');
    for (let done = 1; done <= 100; done++) step(done, 100 * done);
    expect(notes).toHaveLength(10);
    expect(notes[0]).toBe('  cot 10/100 steps (10 %), 9.0 s left, 10 steps/s, loss 10\n');
    expect(notes[9]).toBe('  cot 100/100 steps (100 %), 10 steps/s, loss 100\n');
  });

  it('redraws one line on a terminal, and clears it before a line that stays', () => {
    const { notes, progress, step } = watched(true, 31);
    progress.begin('cot');
    step(1, 1000);
    step(2, 2000);
    progress.say('cot: done');
    expect(notes).toEqual([
      '\r\u001b[2K  cot 1/100 steps (1 %), 1 min',
      '\r\u001b[2K  cot 2/100 steps (2 %), 1 min',
      '\r\u001b[2Kcot: done\n',
    ]);
  });

  it('measures the rate of a resumed stage from where it went on', () => {
    const { notes, step } = watched(true);
    step(50, 1000);
    step(60, 2000);
    expect(notes.at(-1)).toContain('4.0 s left, 10 steps/s');
  });
});

it('durations are readable', () => {
  expect([0.42, 42.3, 59.6, 75, 3700].map(duration)).toEqual([
    '0.4 s',
    '42 s',
    '1 min 0 s',
    '1 min 15 s',
    '1 h 1 min',
  ]);
});
