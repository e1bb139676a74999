/** A learning rate over a stage. */
export interface LearningRateSettings {
  readonly peak: number;
  /** Share of the steps that climb linearly from 0. */
  readonly warmup: number;
  /** What the rate ends at, as a share of the peak. */
  readonly final: number;
  readonly shape: 'cosine' | 'linear' | 'constant';
}

/**
 * The learning rate of a step: linear warm-up, then cosine or linear decay to `final * peak`.
 *
 * @param step from 0
 * @throws if the step is outside [0, steps).
 */
export function learningRateAt(settings: LearningRateSettings, step: number, steps: number): number {
  if (!(step >= 0 && step < steps))
    throw new Error(`learningRateAt: expected a step in [0, ${steps}), got ${step}`);
  const { peak, final, shape } = settings;
  const climb = Math.round(settings.warmup * steps);
  if (step < climb) return (peak * (step + 1)) / climb;
  if (shape === 'constant') return peak;
  const progress = (step - climb) / Math.max(1, steps - climb);
  const share = shape === 'cosine' ? (1 + Math.cos(Math.PI * progress)) / 2 : 1 - progress;
  return peak * (final + (1 - final) * share);
}
