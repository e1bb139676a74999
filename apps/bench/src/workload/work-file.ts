import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '@latent-sft/model';
import type { ExampleTokens } from '@latent-sft/segmentation';
import type { Shape } from '../shapes/shape.js';
import type { ExampleLabel } from './make-examples.js';

export const WORK_FILE = 'work.json';
export const ADAPTERS_FILE = 'adapters.safetensors';
export const MODEL_FOLDER = 'model';

/** What is done with the examples when training: the same for every peer. */
export interface TrainingSettings {
  readonly method: 'full' | 'lora';
  readonly rank: number;
  readonly alpha: number;
  /** alpha / rank. */
  readonly scale: number;
  /** k, words of a latent. */
  readonly support: number;
  /** Id in latent rows. */
  readonly compress: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly clip: number;
  /** How many steps are compared before any is timed. */
  readonly checkedSteps: number;
}

/** What is done when answering. */
export interface DecodingSettings {
  /** Question and think marker, one a row. */
  readonly prompts: readonly (readonly number[])[];
  readonly latents: number;
  readonly tokens: number;
  readonly support: number;
}

/** Everything that peers read beside weights. */
export interface WorkDescription {
  readonly config: ModelConfig;
  readonly special: Shape['special'];
  readonly training: TrainingSettings;
  readonly examples: readonly ExampleTokens[];
  readonly labels: readonly ExampleLabel[];
  readonly decoding: DecodingSettings;
}

export function readWork(folder: string): WorkDescription {
  return JSON.parse(readFileSync(join(folder, WORK_FILE), 'utf8')) as WorkDescription;
}
