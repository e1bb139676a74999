import { peakRssBytes } from '@latent-sft/model';
import { z } from 'zod';

const amount = z.number().min(0);

/** The form of a stage's costs in its checkpoints. */
export const stageCostsSchema = z.strictObject({
  seconds: amount,
  stepSeconds: amount,
  tokens: amount,
  flops: amount,
  validationFlops: amount,
  peakRssBytes: amount.nullable(),
});

/** What a stage has cost. */
export interface StageCosts {
  /** Wall time from its start, loading and validation included. */
  readonly seconds: number;
  /** Wall time of its optimiser steps alone. */
  readonly stepSeconds: number;
  /** Tokens of its optimiser steps, padding left out. */
  readonly tokens: number;
  /** FLOPs of its optimiser steps, forward and backward. */
  readonly flops: number;
  /** FLOPs of its validations. */
  readonly validationFlops: number;
  /** The most memory that the process has held up to now; null where the system does not say. */
  readonly peakRssBytes: number | null;
}

/**
 * Adds up what a stage costs, over all its parts if it is stopped and goes on. What is lost after a checkpoint and
 * done again counts once.
 */
export class CostMeter {
  readonly #startedAt = performance.now();
  #before: Pick<StageCosts, 'seconds' | 'peakRssBytes'> = { seconds: 0, peakRssBytes: null };
  #work = { stepSeconds: 0, tokens: 0, flops: 0, validationFlops: 0 };

  /** Goes on from what earlier parts of the stage cost; nothing may have been added yet. */
  goOn({ seconds, peakRssBytes: peak, ...work }: StageCosts): void {
    this.#before = { seconds, peakRssBytes: peak };
    this.#work = work;
  }

  addStep(step: { readonly seconds: number; readonly tokens: number; readonly flops: number }): void {
    this.#work.stepSeconds += step.seconds;
    this.#work.tokens += step.tokens;
    this.#work.flops += step.flops;
  }

  addValidation(flops: number): void {
    this.#work.validationFlops += flops;
  }

  costs(): StageCosts {
    const { seconds, peakRssBytes: before } = this.#before;
    const now = peakRssBytes();
    return {
      seconds: seconds + (performance.now() - this.#startedAt) / 1000,
      ...this.#work,
      peakRssBytes: before === null || now === null ? (now ?? before) : Math.max(before, now),
    };
  }
}
