/** What one optimiser step of stage 2 descends: the soft-label KL, the answer cross-entropy, or their sum. */
export type LossTerm = 'kl' | 'ce' | 'joint';

/** `'joint'` at every step, or a cycle of terms, one an optimiser step. */
export type LossSchedule = 'joint' | readonly LossTerm[];

const LOSS_TERMS: readonly LossTerm[] = ['kl', 'ce', 'joint'];

/**
 * Tells which loss an optimiser step descends: `schedule[step mod schedule.length]`, or `'joint'` at every step.
 *
 * The cycle `['kl', 'ce', 'joint']` is the alternating optimisation of arXiv 2510.15522 (first version, stage 2);
 * the second version and the released code use `'joint'`.
 *
 * @param schedule `'joint'`, or the terms of one cycle in order.
 * @param step Optimiser step, counted from 0.
 * @throws If `step` is not an integer of at least 0.
 * @throws If `schedule` is an empty cycle, or names an unknown term.
 */
export function lossTermAt(schedule: LossSchedule, step: number): LossTerm {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new Error(`lossTermAt: expected step to be an integer of at least 0, got ${step}`);
  }
  if (schedule === 'joint') return 'joint';
  if (!Array.isArray(schedule) || schedule.length === 0) {
    throw new Error(
      `lossTermAt: expected schedule to be 'joint' or a non-empty list, got ${JSON.stringify(schedule)}`,
    );
  }
  for (const term of schedule) {
    if (!LOSS_TERMS.includes(term)) {
      throw new Error(
        `lossTermAt: expected every term to be one of ${LOSS_TERMS.join(', ')}, got ${JSON.stringify(term)}`,
      );
    }
  }
  return schedule[step % schedule.length] as LossTerm;
}
