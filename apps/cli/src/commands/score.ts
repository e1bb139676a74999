import { type Command, InvalidArgumentError } from 'commander';
import { startEngine } from '../engine.js';
import { asInput } from '../errors.js';
import { type GlobalOptions, given } from '../options.js';
import type { Terminal } from '../terminal.js';

interface ScoreOptions extends GlobalOptions {
  readonly model?: string;
  readonly ids?: readonly number[];
}

export function addScore(program: Command, terminal: Terminal): void {
  program
    .command('score')
    .description('negative log-likelihood of each token given those before it, in nats, from the second on')
    .option('--model <path>', 'folder with config.json and model.safetensors, or a llama2.c file (required)')
    .option('--ids <list>', 'token ids, as in 1,2,3 (required)', readIds)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ScoreOptions>();
      const model = given(options.model, '--model <path>');
      const ids = given(options.ids, '--ids <list>');
      const { disposeParameters, loadModelFolder, parametersFrom, scoreTokens } = await import(
        '@latent-sft/model'
      );
      const { config, weights } = asInput(() => loadModelFolder(model));
      await startEngine(options);
      const parameters = parametersFrom(weights);
      try {
        const nll = asInput(() => [...scoreTokens(config, parameters, ids)]);
        if (options.json) return terminal.result(JSON.stringify({ nll }));
        const mean = nll.reduce((sum, value) => sum + value, 0) / nll.length;
        const lines = nll.map((value, i) => `${ids[i + 1]}\t${value.toFixed(6)}`);
        terminal.result([...lines, `mean\t${mean.toFixed(6)} nats over ${nll.length} tokens`].join('\n'));
      } finally {
        disposeParameters(parameters);
      }
    });
}

function readIds(text: string): number[] {
  return text.split(',').map((part, i) => {
    if (/^\s*\d+\s*$/.test(part)) return Number(part);
    throw new InvalidArgumentError(
      `expected whole numbers with commas, got ${JSON.stringify(part)} at place ${i + 1}`,
    );
  });
}
