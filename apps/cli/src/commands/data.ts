import type { ReadOptions, RecordFormat, Segmenter } from '@latent-sft/data';
import { type Command, Option } from 'commander';
import { asInput, asInputLater, InputError } from '../errors.js';
import { readFields } from '../field-names.js';
import { type GlobalOptions, given, wholeNumber } from '../options.js';
import { drawInspection } from '../output/file-inspection.js';
import { MODEL_REFERENCE, openTokenizer } from '../pretrained-model.js';
import type { Terminal } from '../terminal.js';

interface ReadingOptions extends GlobalOptions {
  readonly format: RecordFormat;
  readonly fields?: NonNullable<ReadOptions['fields']>;
  readonly chains: NonNullable<ReadOptions['chains']>;
}

interface InspectOptions extends ReadingOptions {
  readonly model?: string;
  readonly tokenizer?: 'words' | 'characters';
  readonly by: Segmenter['by'];
  readonly rate: number;
}

interface ConvertOptions extends ReadingOptions {
  readonly to?: string;
  readonly emptyChain: 'keep' | 'error' | 'drop';
  readonly overwrite?: boolean;
}

export function addData(program: Command, terminal: Terminal): void {
  const data = program.command('data').description('look at a file of reasoning records, or convert it');
  addReadingOptions(data.command('inspect'))
    .description('rows, lengths, how it will be segmented, and what is wrong with it')
    .option('--model <reference>', `count the tokens of ${MODEL_REFERENCE}`)
    .addOption(
      new Option('--tokenizer <name>', 'count in place of a model’s tokens (default: words)').choices([
        'words',
        'characters',
      ]),
    )
    .addOption(
      new Option('--by <unit>', 'how chains are cut into segments')
        .choices(['rate', 'step', 'line', 'equation', 'sentence'])
        .default('rate'),
    )
    .option('--rate <count>', 'tokens a segment, cut by rate', wholeNumber(1), 2)
    .action((file: string, _options, command: Command) =>
      inspect(file, command.optsWithGlobals<InspectOptions>(), terminal),
    );
  addReadingOptions(data.command('convert'))
    .description('write the records as {question, steps, answer}, one JSON object a line')
    .option('--to <file>', 'the file to write, .jsonl (required)')
    .addOption(
      new Option('--empty-chain <policy>', 'what to do with a record without steps')
        .choices(['keep', 'error', 'drop'])
        .default('keep'),
    )
    .option('--overwrite', 'replace the file if there is one')
    .action((file: string, _options, command: Command) =>
      convert(file, command.optsWithGlobals<ConvertOptions>(), terminal),
    );
}

function addReadingOptions(command: Command): Command {
  return command
    .argument('<file>', 'JSON Lines, JSON, CSV, TSV, Parquet, or lines of text')
    .option('--format <name>', 'data set that the file is of, or auto: what its first row looks like', 'auto')
    .option(
      '--fields <names>',
      'fields of your own, as in question=q,chain=rationale,answer=label',
      readFields,
    )
    .addOption(
      new Option('--chains <name>', 'which chains of equations are kept')
        .choices(['checked', 'recomputing', 'all'])
        .default('checked'),
    );
}

async function inspect(file: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const { by, rate, model, tokenizer = 'words' } = options;
  if (model !== undefined && options.tokenizer !== undefined) {
    throw new InputError('expected either --model <reference> or --tokenizer <name>, got both');
  }
  const { characterTokenizer, inspectRecordFile, wordTokenizer } = await import('@latent-sft/data');
  const ofModel = model === undefined ? null : await openTokenizer(model, terminal);
  const inspection = await asInputLater(() =>
    inspectRecordFile(file, options.format, {
      fields: options.fields,
      chains: options.chains,
      segmenter: by === 'rate' ? { by, rate } : { by },
      tokenizer: (records) => {
        if (ofModel !== null) return ofModel;
        const texts = records.flatMap(({ question, steps, answer }) => [question, ...steps, answer]);
        return tokenizer === 'words' ? wordTokenizer(texts) : characterTokenizer(texts);
      },
    }),
  );
  const unit = model ?? tokenizer;
  const cut = by === 'rate' ? `every ${rate} tokens` : `by ${by}`;
  if (options.json) terminal.result(JSON.stringify({ ...inspection, tokenizer: unit, segmenter: cut }));
  else {
    const detected = options.format === 'auto' && options.fields === undefined;
    terminal.result(drawInspection(inspection, { tokenizer: unit, cut, detected }));
  }
  const unreadable = inspection.findings.find(({ kind }) => kind === 'unreadable');
  if (unreadable) {
    throw new InputError(
      `expected every row of ${file} to be a record, got ${unreadable.count} that are not`,
    );
  }
}

async function convert(file: string, options: ConvertOptions, terminal: Terminal): Promise<void> {
  const target = given(options.to, '--to <file>');
  if (!target.endsWith('.jsonl')) throw new InputError(`expected --to with a .jsonl file, got ${target}`);
  const [{ existsSync }, { readRecordFile }, { writeFileAtomically }] = await Promise.all([
    import('node:fs'),
    import('@latent-sft/data'),
    import('@latent-sft/model'),
  ]);
  if (existsSync(target) && !options.overwrite) {
    throw new InputError(`expected no file at ${target}, got one; --overwrite replaces it`);
  }
  const { fields, chains, emptyChain } = options;
  const { records, description } = await asInputLater(() =>
    readRecordFile(file, options.format, { fields, chains, emptyChain }),
  );
  const encoder = new TextEncoder();
  const lines = records.map(({ question, steps, answer }) =>
    encoder.encode(`${JSON.stringify({ question, steps, answer })}\n`),
  );
  asInput(() => writeFileAtomically(target, lines));
  const { digest, dropped, rows, leftOut, sha256 } = description;
  const result = {
    file: target,
    records: records.length,
    digest,
    from: { file, rows, dropped, leftOut, sha256 },
  };
  if (options.json) return terminal.result(JSON.stringify(result));
  terminal.result(`${records.length} records of ${rows} in ${target}, ${dropped} left out, digest ${digest}`);
}
