import type { FieldNames, RecordFormat } from '@latent-sft/data';
import { type Command, Option } from 'commander';
import { startEngine } from '../engine.js';
import { asInput, asInputLater, InputError } from '../errors.js';
import { readFields } from '../field-names.js';
import { type GlobalOptions, given, wholeNumber } from '../options.js';
import type { Terminal } from '../terminal.js';

export const ANSWER_STAGES = ['no-cot', 'cot', 'latent'] as const;

interface EvalOptions extends GlobalOptions {
  readonly run?: string;
  readonly data?: string;
  readonly format: RecordFormat;
  readonly fields?: FieldNames;
  readonly limit?: number;
  readonly stage: (typeof ANSWER_STAGES)[number];
  readonly arms?: boolean;
}

export function addEval(program: Command, terminal: Terminal): void {
  program
    .command('eval')
    .description("answer the questions of a file, or a run's own test split, and count")
    .option('--run <folder>', 'a trained run (required)')
    .option('--data <file>', "questions (default: the run's own test split)")
    .option('--format <name>', 'data set that the file is of, or auto: what its first row looks like', 'auto')
    .option(
      '--fields <names>',
      "fields of your own, as in question=q,answer=label (default: the run's own)",
      readFields,
    )
    .option('--limit <count>', 'only the first questions', wholeNumber(1))
    .addOption(
      new Option('--stage <name>', 'which model answers, and how').choices(ANSWER_STAGES).default('latent'),
    )
    .option('--arms', 'also answer from latents that are shuffled, swapped, averaged, zeroed and left out')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<EvalOptions>();
      if (options.arms && options.stage !== 'latent') {
        throw new InputError(`expected --stage latent with --arms, got ${options.stage}`);
      }
      const run = given(options.run, '--run <folder>');
      const { evaluateAnswerer, loadAnswerer, measureFaithfulness, readRunRecipe } = await import(
        '@latent-sft/training'
      );
      const [{ Progress }, { accuracyInWords, costsInWords }, { drawArms }] = await Promise.all([
        import('../output/progress.js'),
        import('../output/accuracy.js'),
        import('../output/arms.js'),
      ]);
      await startEngine(options, asInput(() => readRunRecipe(run)).precision);
      const answerer = await asInputLater(() => loadAnswerer(run, options.stage));
      try {
        const { records, sha256 } = await questionsOf(options, answerer.recipe);
        asInput(() => {
          for (const { question, answer } of records) answerer.tokenizer.encode(`${question} ${answer}`);
        });
        const progress = new Progress(terminal);
        progress.begin('answering');
        const { report } = evaluateAnswerer(answerer, records, {
          onBatch: (done) =>
            progress.update({
              name: 'answering',
              done,
              total: records.length,
              unit: 'questions',
              details: [],
            }),
        });
        progress.end();
        const arms = options.arms ? measureFaithfulness(answerer, records, answerer.recipe.seed) : null;
        const result = { ...report, sha256: sha256 ?? report.sha256, ...(arms && { arms }) };
        if (options.json) terminal.result(JSON.stringify(result));
        else {
          terminal.result(accuracyInWords(options.stage, result));
          terminal.result(`  ${costsInWords(result)}`);
          if (arms) terminal.result(`\n${drawArms(arms)}`);
        }
      } finally {
        answerer.dispose();
      }
    });
}

type Recipe = import('@latent-sft/training').Recipe;
type Records = readonly import('@latent-sft/data').ReasoningRecord[];

/** The questions to ask; with a file the SHA-256 of its bytes. */
async function questionsOf(
  { data, format, fields, limit }: EvalOptions,
  recipe: Recipe,
): Promise<{ records: Records; sha256: string | null }> {
  const { loadRunData, readEvaluationFile } = await import('@latent-sft/training');
  if (data !== undefined) {
    const { records, sha256 } = await asInputLater(() => readEvaluationFile(recipe, data, format, fields));
    return { records: records.slice(0, limit), sha256 };
  }
  const { test } = await asInputLater(() => loadRunData(recipe));
  if (test.length === 0)
    throw new InputError(`expected --data <file> for a run without test questions of its own, got none`);
  return { records: test.slice(0, limit), sha256: null };
}
