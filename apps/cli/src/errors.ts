import { CommanderError } from 'commander';

/** What the process ends with. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, stopped: 130 } as const;

/** The command was asked for something impossible, or given a file that is not what it should be. */
export class InputError extends Error {
  override name = 'InputError';
}

/** Runs what reads the caller's input, so that its errors count as bad input and not as a failure. */
export function asInput<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InputError(messageOf(error), { cause: error });
  }
}

/** As `asInput`, for what reads over time. */
export async function asInputLater<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new InputError(messageOf(error), { cause: error });
  }
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    // help and version end a command early without anything being wrong
    return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  }
  // by name: the package that trains has an error of that name too, and is loaded only where it is used
  const { name } = error instanceof Error ? error : { name: '' };
  if (name === 'InputError') return EXIT.badInput;
  return name === 'StoppedError' ? EXIT.stopped : EXIT.failed;
}

/** What was thrown as one sentence, or with its stack if that is asked for. */
export function describeError(error: unknown, verbose: boolean): string {
  if (verbose && error instanceof Error && !(error instanceof CommanderError)) {
    const cause = error.cause instanceof Error ? error.cause : error;
    return cause.stack ?? cause.message;
  }
  return messageOf(error)
    .replace(/^error: /, '')
    .replace(/\. (?=expected|Expected|Allowed)/g, ': ')
    .replace(FUNCTION_NAME, '')
    .replace(/\s*\n\s*/g, ' ');
}

/** `readSafetensors: ` and the like, which tell a programmer where and a user nothing. */
const FUNCTION_NAME = /^(?![A-Z]+:)[A-Za-z]\w*(?:\.\w+)?: /;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
