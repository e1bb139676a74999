import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBench } from './commands/bench.js';
import { addData } from './commands/data.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addEval } from './commands/eval.js';
import { addExport } from './commands/export.js';
import { addGenerate } from './commands/generate.js';
import { addInspect } from './commands/inspect.js';
import { addRecipe } from './commands/recipe.js';
import { addScore } from './commands/score.js';
import { addTrain } from './commands/train.js';
import { describeError, EXIT, exitCodeOf } from './errors.js';
import { addGlobalOptions } from './options.js';
import { processTerminal, type Terminal } from './terminal.js';

/** The command line with all its commands; parsing throws instead of ending the process. */
export function buildProgram(terminal: Terminal): Command {
  const program = addGlobalOptions(new Command('latent-sft'))
    .description(
      'Train, run, measure and show vocabulary-space latent reasoning (Latent-SFT, arXiv 2510.15522).',
    )
    .version(version(), '--version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.result(text.trimEnd()),
      writeErr: (text) => terminal.note(text),
      outputError: () => {}, // runCommandLine says it in one sentence
    })
    .exitOverride();
  for (const add of [
    addDemo,
    addTrain,
    addEval,
    addGenerate,
    addInspect,
    addScore,
    addExport,
    addData,
    addRecipe,
    addBench,
    addDoctor,
  ]) {
    add(program, terminal);
  }
  return program;
}

/**
 * Runs one command line and says on standard error, in one sentence, what went wrong if something did.
 *
 * @param words what follows `latent-sft`
 * @returns the exit code: 0 done, 1 failed, 2 bad usage or bad input, 130 stopped by Ctrl-C
 */
export async function runCommandLine(
  words: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const program = buildProgram(terminal);
  try {
    await program.parseAsync(words, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const code = exitCodeOf(error);
    const helpWasShown = error instanceof CommanderError && error.code === 'commander.help';
    if (code !== EXIT.ok && !helpWasShown) {
      terminal.note(`latent-sft: ${describeError(error, words.includes('--verbose'))}\n`);
    }
    return code;
  }
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
