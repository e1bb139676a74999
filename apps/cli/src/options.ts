import type { Backend, Precision } from '@latent-sft/tensorflow';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from './errors.js';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly backend: Backend | 'auto';
  readonly threads?: number;
  readonly precision?: Precision;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

const PRECISIONS = ['float32', 'bfloat16-products'] as const;
const BACKENDS = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;

/** Adds the options that every command takes. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('--backend <name>', 'what computes: the fastest that runs, or one by name')
        .choices(BACKENDS)
        .default('auto'),
    )
    .option('--threads <count>', "threads of TensorFlow (default: the machine's cores)", wholeNumber(1))
    .addOption(
      new Option('--precision <name>', 'of matrix products on TensorFlow (default: float32)').choices(
        PRECISIONS,
      ),
    )
    .option('--json', 'results as JSON')
    .option('--verbose', 'errors with their stack traces');
}

/** Reads a whole number that is not below the smallest allowed. */
export function wholeNumber(smallest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= smallest) return value;
    throw new InvalidArgumentError(`expected a whole number from ${smallest} on, got ${text}`);
  };
}

/** Reads a number within bounds. */
export function numberWithin(smallest: number, largest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= smallest && value <= largest) return value;
    throw new InvalidArgumentError(`expected a number from ${smallest} to ${largest}, got ${text}`);
  };
}

/**
 * The value of an option that a command cannot do without.
 *
 * Commander's own check comes before the one for unknown options, and would hide a misspelt name.
 *
 * @throws InputError if it was not given.
 */
export function given<T>(value: T | undefined, flags: string): T {
  if (value === undefined) throw new InputError(`expected ${flags}, got no such option`);
  return value;
}
