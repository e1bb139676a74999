import { execFile } from 'node:child_process';

/** A program that the set-up calls, as it was found on this machine. */
export interface Program {
  readonly name: string;
  readonly found: boolean;
  readonly version: string | null;
  /** What to do if it is missing. */
  readonly cure: string;
}

const PROGRAMS = {
  python3: { command: ['python3', '--version'], cure: 'install Python 3 (Debian: apt-get install python3)' },
  pip: {
    command: ['python3', '-m', 'pip', '--version'],
    cure: 'install pip for python3 (Debian: apt-get install python3-pip)',
  },
  'g++': { command: ['g++', '--version'], cure: 'install a C++ compiler (Debian: apt-get install g++)' },
} as const;

/** Names of the programs that {@link findProgram} knows. */
export type ProgramName = keyof typeof PROGRAMS;

/** Looks for a program by asking it for its version. */
export function findProgram(name: ProgramName): Promise<Program> {
  const { command, cure } = PROGRAMS[name];
  return new Promise((found) => {
    execFile(command[0], command.slice(1), { timeout: 30_000 }, (error, stdout) => {
      const version = /\d+(\.\d+)+/.exec(stdout.split('\n')[0] ?? '')?.[0] ?? null;
      found({ name, found: error === null, version: error === null ? version : null, cure });
    });
  });
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output.
 * @throws if it cannot be started or exits with a code other than 0; the message ends with its last lines.
 */
export function runProgram(
  name: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  return new Promise((succeed, fail) => {
    execFile(name, parameters, { env: environment, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) return succeed(stdout);
      const lastLines = `${stdout}\n${stderr}`.trim().split('\n').slice(-6).join('\n  ');
      fail(new Error(`${name} failed (${error.code ?? error.signal}):\n  ${lastLines}`, { cause: error }));
    });
  });
}
