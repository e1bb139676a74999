import { join } from 'node:path';
import { EVENTS_FILE, type RunEvent, readEvents } from '@latent-sft/training';

/** How a stage of a run ended, and what it cost; what an older version did not write down is absent. */
export interface StageSummary {
  readonly stage: string;
  /** Wall time over all its parts. */
  readonly seconds: number;
  /** Optimiser steps; absent for labels. */
  readonly steps?: number;
  /** Rows that were labelled; absent for all other stages. */
  readonly rows?: number;
  /** Wall time of the steps, or of the labelling, alone. */
  readonly stepSeconds?: number;
  /** Tokens of the steps. */
  readonly tokens?: number;
  readonly tokensPerSecond?: number;
  /** FLOPs of the steps. */
  readonly flops?: number;
  readonly gflopsPerSecond?: number;
  /** FLOPs of the validations. */
  readonly validationFlops?: number;
  /** The most memory that the process had held at the stage's end. */
  readonly peakRssBytes?: number;
  /** Validation of the weights that were kept; absent for labels. */
  readonly bestStep?: number;
  readonly loss?: number;
  readonly accuracy?: number;
}

const COPIED = [
  ...(['steps', 'rows', 'stepSeconds', 'tokens', 'flops', 'validationFlops', 'peakRssBytes'] as const),
  ...(['bestStep', 'loss', 'accuracy'] as const),
];

/** The finished stages of a run, from its events. */
export function stageSummaries(folder: string): StageSummary[] {
  const latest = new Map<string, StageSummary>();
  for (const event of readEvents(join(folder, EVENTS_FILE))) {
    if (event.type === 'stage-done' && event.stage !== undefined)
      latest.set(event.stage, summaryOf(event.stage, event));
  }
  return [...latest.values()];
}

function summaryOf(stage: string, event: RunEvent): StageSummary {
  const numbers = COPIED.flatMap((name) =>
    typeof event[name] === 'number' ? [[name, event[name]] as const] : [],
  );
  const known: Omit<StageSummary, 'stage' | 'seconds'> = Object.fromEntries(numbers);
  const { stepSeconds, tokens, flops } = known;
  return {
    stage,
    seconds: Number(event.seconds),
    ...known,
    ...(stepSeconds && tokens !== undefined && { tokensPerSecond: tokens / stepSeconds }),
    ...(stepSeconds && flops !== undefined && { gflopsPerSecond: flops / 1e9 / stepSeconds }),
  };
}
