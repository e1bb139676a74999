import { join } from 'node:path';
import { EVENTS_FILE, readEvents } from '@latent-sft/training';

/** How a stage of a run ended. */
export interface StageSummary {
  readonly stage: string;
  /** Wall time since it was last started or resumed. */
  readonly seconds: number;
  /** Validation of the weights that were kept; absent for labels. */
  readonly bestStep?: number;
  readonly loss?: number;
  readonly accuracy?: number;
}

/** The finished stages of a run, from its events. */
export function stageSummaries(folder: string): StageSummary[] {
  const latest = new Map<string, StageSummary>();
  for (const { type, stage, ...numbers } of readEvents(join(folder, EVENTS_FILE))) {
    if (type !== 'stage-done' || stage === undefined) continue;
    const { seconds, bestStep, loss, accuracy } = numbers as Record<string, number>;
    const validated = bestStep === undefined ? {} : { bestStep, loss: loss!, accuracy: accuracy! };
    latest.set(stage, { stage, seconds: seconds!, ...validated });
  }
  return [...latest.values()];
}
