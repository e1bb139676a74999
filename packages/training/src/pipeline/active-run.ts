import type { StepProgress } from '../loop/train-stage.js';
import type { Run } from '../run/run-folder.js';
import type { StageContext } from '../stages/stage-context.js';
import type { Pretrained } from './pretrained.js';

/** What whoever watches a run is told. */
export interface RunObserver {
  onStage?(stage: string, action: 'skip' | 'resume' | 'start' | 'done', about: string): void;
  onStep?(progress: StepProgress): void;
  onWarning?(sentence: string): void;
}

/** A run in progress: everything that its stages share. */
export interface ActiveRun {
  readonly run: Run;
  readonly context: StageContext;
  readonly pretrained: Pretrained | null;
  readonly dataDigest: string;
  readonly signal: AbortSignal | undefined;
  readonly observer: RunObserver;
}
