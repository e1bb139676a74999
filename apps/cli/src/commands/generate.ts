import { type Command, Option } from 'commander';
import { startEngine } from '../engine.js';
import { asInput, asInputLater, InputError } from '../errors.js';
import { openWeights, WEIGHT_FORMATS } from '../open-weights.js';
import { type GlobalOptions, given, numberWithin, wholeNumber } from '../options.js';
import { MODEL_REFERENCE } from '../pretrained-model.js';
import type { Terminal } from '../terminal.js';
import { ANSWER_STAGES } from './eval.js';

interface GenerateOptions extends GlobalOptions {
  readonly run?: string;
  readonly model?: string;
  readonly chat?: boolean;
  readonly maxTokens: number;
  readonly question?: string;
  readonly stage: (typeof ANSWER_STAGES)[number];
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly words: number;
  readonly weights: (typeof WEIGHT_FORMATS)[number];
}

export function addGenerate(program: Command, terminal: Terminal): void {
  program
    .command('generate')
    .description('answer one question; the latents are shown as words with their weights')
    .option('--run <folder>', 'a trained run')
    .addOption(
      new Option(
        '--model <reference>',
        `or a pretrained model to continue a text: ${MODEL_REFERENCE}`,
      ).conflicts(['run', 'stage', 'words']),
    )
    .option('--question <text>', 'in the words of the run, or the text to continue (required)')
    .addOption(
      new Option('--chat', 'with --model: the question as a message in its chat template').conflicts('run'),
    )
    .addOption(
      new Option('--max-tokens <count>', 'with --model: tokens at most')
        .argParser(wholeNumber(1))
        .default(64)
        .conflicts('run'),
    )
    .addOption(
      new Option('--stage <name>', 'which model answers, and how').choices(ANSWER_STAGES).default('latent'),
    )
    .option(
      '--temperature <number>',
      'of the answer; 0 takes the most probable token',
      numberWithin(0, 100),
      0,
    )
    .option(
      '--top-p <number>',
      'share of the probability that answers are drawn from',
      numberWithin(0.001, 1),
      1,
    )
    .option('--seed <number>', 'of what is drawn', wholeNumber(0), 0)
    .option('--words <count>', 'words to show of each latent', wholeNumber(1), 3)
    .addOption(
      new Option('--weights <format>', 'what steps after the prompt read; the prompt reads float32')
        .choices(WEIGHT_FORMATS)
        .default('float32'),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GenerateOptions>();
      const question = given(options.question, '--question <text>');
      const { temperature, topP, seed, words } = options;
      const sampling =
        temperature === 0
          ? ({ kind: 'greedy' } as const)
          : ({ kind: 'nucleus', temperature, topP, seed } as const);
      if (options.model !== undefined) {
        const { continueText } = await import('../continue-text.js');
        const settings = {
          chat: options.chat === true,
          maxTokens: options.maxTokens,
          sampling,
          weights: options.weights,
        };
        const continued = await continueText(options.model, question, settings, terminal, () =>
          startEngine(options),
        );
        return terminal.result(options.json ? JSON.stringify(continued) : continued.text);
      }
      if (options.run === undefined) {
        throw new InputError('expected either --run <folder> or --model <reference>, got neither');
      }
      const { run } = options;
      const { loadAnswerer, readRunRecipe } = await import('@latent-sft/training');
      const { answerOne, drawAnswer } = await import('../answer-one.js');
      await startEngine(options, asInput(() => readRunRecipe(run)).precision);
      const answerer = await asInputLater(() => loadAnswerer(run, options.stage));
      const weights = await openWeights(answerer.config, answerer.parameters, options.weights).catch(
        (error: unknown) => {
          answerer.dispose();
          throw error;
        },
      );
      try {
        const packed = weights ? { ...answerer, weights } : answerer;
        const answer = asInput(() => answerOne(packed, question, { sampling, words }));
        terminal.result(
          options.json ? JSON.stringify({ stage: options.stage, ...answer }) : drawAnswer(answer),
        );
      } finally {
        weights?.dispose();
        answerer.dispose();
      }
    });
}
