import { execFile } from 'node:child_process';

/**
 * Runs `python3` to its end.
 * @throws If there is no `python3`.
 * @throws If it exits with a code other than 0; the message ends with its last lines.
 */
export function runPython(
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  return new Promise((succeed, fail) => {
    execFile('python3', parameters, { env: environment, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) return succeed();
      const missing = error.code === 'ENOENT' ? 'install Python 3 with pip, or ' : '';
      const lastLines = `${stdout}\n${stderr}`.trim().split('\n').slice(-4).join('\n  ');
      fail(
        new Error(
          `python3 failed (${error.code ?? error.signal}); ${missing}give the path of a model instead\n  ${lastLines}`,
          { cause: error },
        ),
      );
    });
  });
}
