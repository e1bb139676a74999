import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LossSchedule, type LossTerm, lossTermAt } from '../src/schedule.js';

describe('lossTermAt', () => {
  it('is joint at every step of the joint schedule', () => {
    for (const step of [0, 1, 2, 1_000_000]) expect(lossTermAt('joint', step)).toBe('joint');
  });

  it('cycles KL, CE, joint as the first version of the paper alternates', () => {
    const schedule: LossSchedule = ['kl', 'ce', 'joint'];
    const terms = Array.from({ length: 7 }, (_, step) => lossTermAt(schedule, step));
    expect(terms).toEqual(['kl', 'ce', 'joint', 'kl', 'ce', 'joint', 'kl']);
  });

  it('has the period of its cycle', () => {
    const cycle = fc.array(fc.constantFrom<LossTerm>('kl', 'ce', 'joint'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(cycle, fc.nat(1_000_000), (schedule, step) => {
        expect(lossTermAt(schedule, step)).toBe(schedule[step % schedule.length]);
        expect(lossTermAt(schedule, step + schedule.length)).toBe(lossTermAt(schedule, step));
      }),
    );
  });

  it('refuses bad steps and schedules', () => {
    for (const step of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => lossTermAt('joint', step)).toThrow(
        `lossTermAt: expected step to be an integer of at least 0, got ${step}`,
      );
    }
    expect(() => lossTermAt([], 0)).toThrow("expected schedule to be 'joint' or a non-empty list, got []");
    expect(() => lossTermAt(['kl', 'mse' as LossTerm], 0)).toThrow('one of kl, ce, joint, got "mse"');
    expect(() => lossTermAt('kl' as LossSchedule, 0)).toThrow('or a non-empty list, got "kl"');
  });
});
