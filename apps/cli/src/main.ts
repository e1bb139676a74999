import { EXIT } from './errors.js';
import { runCommandLine } from './program.js';

// a reader that has seen enough (`latent-sft ... | head`) is not an error
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2));
