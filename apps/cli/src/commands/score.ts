import { type Command, InvalidArgumentError } from 'commander';
import { startEngine } from '../engine.js';
import { asInput, InputError } from '../errors.js';
import { type GlobalOptions, given } from '../options.js';
import { MODEL_REFERENCE, openModel } from '../pretrained-model.js';
import type { Terminal } from '../terminal.js';

interface ScoreOptions extends GlobalOptions {
  readonly model?: string;
  readonly ids?: readonly number[];
  readonly text?: string;
}

export function addScore(program: Command, terminal: Terminal): void {
  program
    .command('score')
    .description('negative log-likelihood of each token given those before it, in nats, from the second on')
    .option('--model <reference>', `${MODEL_REFERENCE} (required)`)
    .option('--text <text>', 'text; special tokens written in it are recognised, and nothing is added')
    .option('--ids <list>', 'token ids in place of a text, as in 1,2,3', readIds)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ScoreOptions>();
      const reference = given(options.model, '--model <reference>');
      if ((options.text === undefined) === (options.ids === undefined)) {
        const got = options.text === undefined ? 'neither' : 'both';
        throw new InputError(`expected either --text <text> or --ids <list>, got ${got}`);
      }
      const { disposeParameters, parametersFrom, scoreTokens } = await import('@latent-sft/model');
      const { config, weights, ...model } = await openModel(reference, terminal);
      const tokenizer = options.text === undefined ? null : await model.tokenizer();
      const ids = options.ids ?? asInput(() => tokenizer!.encode(options.text!));
      await startEngine(options);
      const parameters = parametersFrom(weights);
      try {
        const nll = asInput(() => [...scoreTokens(config, parameters, ids)]);
        if (options.json) return terminal.result(JSON.stringify({ ids, nll }));
        const mean = nll.reduce((sum, value) => sum + value, 0) / nll.length;
        const nameOf = (id: number) => (tokenizer ? JSON.stringify(tokenizer.decode([id])) : `${id}`);
        const lines = nll.map((value, i) => `${nameOf(ids[i + 1]!)}\t${value.toFixed(6)}`);
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
