import type { StepProgress } from '@latent-sft/training';
import type { Terminal } from '../terminal.js';

/** Progress as numbers: what is done, of how much, and what to say beside it. */
export interface ProgressState {
  readonly name: string;
  readonly done: number;
  readonly total: number;
  /** What is counted: steps, rows, questions. */
  readonly unit: string;
  readonly details: readonly string[];
}

const PLAIN_LINES = 10;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Progress on standard error: one line redrawn on a terminal, about ten plain lines a stage elsewhere; with the
 * rate and the time left, measured since the stage began here.
 */
export class Progress {
  private current = '';
  private start = { done: 0, atMs: 0 };
  private tenths = 0;
  private drawn = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** A line that stays. */
  say(text: string): void {
    this.terminal.note(`${this.drawn ? CLEAR_LINE : ''}${text}\n`);
    this.drawn = false;
  }

  /** Starts the clock of the next thing to do. */
  begin(name: string, done = 0): void {
    this.current = name;
    this.start = { done, atMs: this.clock() };
    this.tenths = 0;
  }

  update(state: ProgressState): void {
    if (state.name !== this.current) this.begin(state.name, state.done);
    const text = this.describe(state);
    if (this.terminal.interactive) {
      this.terminal.note(`${CLEAR_LINE}${text.slice(0, this.terminal.columns - 1)}`);
      this.drawn = true;
      return;
    }
    const tenths = Math.floor((PLAIN_LINES * state.done) / state.total);
    if (tenths === this.tenths) return;
    this.tenths = tenths;
    this.terminal.note(`${text}\n`);
  }

  /** Leaves the redrawn line, so that what follows begins a line of its own. */
  end(): void {
    if (this.drawn) this.terminal.note(CLEAR_LINE);
    this.drawn = false;
  }

  private describe({ name, done, total, unit, details }: ProgressState): string {
    const seconds = (this.clock() - this.start.atMs) / 1000;
    const rate = (done - this.start.done) / seconds;
    const percent = Math.floor((100 * done) / total);
    const parts = [`${name} ${done}/${total} ${unit} (${percent} %)`];
    if (rate > 0 && Number.isFinite(rate)) {
      if (done < total) parts.push(`${duration((total - done) / rate)} left`);
      parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} ${unit}/s`);
    }
    return `  ${[...parts, ...details].join(', ')}`;
  }
}

/** What a training step tells, as progress. */
export function trainingProgress({ stage, step, steps, loss, tokensPerSecond, validation }: StepProgress) {
  if (stage === 'labels') return { name: stage, done: step, total: steps, unit: 'rows', details: [] };
  const details = [`loss ${loss.toFixed(4)}`];
  if (validation) details.push(`validation accuracy ${percentage(validation.accuracy)}`);
  details.push(`${tokensPerSecond} tokens/s`);
  return { name: stage, done: step, total: steps, unit: 'steps', details };
}

/** Seconds as a person reads them. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes === 0) return `${whole} s`;
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A share of 1 in percent, one digit after the point. */
export function percentage(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
