import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { type GlobalOptions, given } from '../options.js';
import { MODEL_REFERENCE } from '../pretrained-model.js';
import type { Terminal } from '../terminal.js';
import { ANSWER_STAGES } from './eval.js';

interface ExportOptions extends GlobalOptions {
  readonly run?: string;
  readonly model?: string;
  readonly stage: (typeof ANSWER_STAGES)[number];
  readonly adapter?: boolean;
  readonly dtype: keyof typeof STORED_TYPES;
  readonly out?: string;
  readonly overwrite?: boolean;
}

const STORED_TYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

export function addExport(program: Command, terminal: Terminal): void {
  program
    .command('export')
    .description('write a model folder that transformers opens: weights, config.json, tokenizer')
    .option('--run <folder>', 'a trained run; what its adapter learned is merged into the weights')
    .addOption(
      new Option('--stage <name>', 'which model of the run').choices(ANSWER_STAGES).default('latent'),
    )
    .addOption(
      new Option('--model <reference>', `or a pretrained model: ${MODEL_REFERENCE}`).conflicts([
        'run',
        'stage',
        'adapter',
      ]),
    )
    .option('--out <folder>', 'the folder to write (required)')
    .addOption(
      new Option('--adapter', "with --run: the adapter alone, in the PEFT library's form").conflicts('dtype'),
    )
    .addOption(
      new Option('--dtype <name>', 'how weights are stored')
        .choices(Object.keys(STORED_TYPES))
        .default('f32'),
    )
    .option('--overwrite', 'replace an earlier export')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions>();
      const out = given(options.out, '--out <folder>');
      const { checkTarget, replaceFolder } = await import('../export/replace-folder.js');
      checkTarget(out, options.overwrite === true);
      const { about, write } = await chosen(options, terminal);
      terminal.note(`writing ${out}\n`);
      await replaceFolder(out, options.overwrite === true, write);
      await report(out, about, options.json === true, terminal);
    });
}

async function chosen(options: ExportOptions, terminal: Terminal) {
  const { exportAdapter, exportPretrained, exportTrained } = await import('../export/model-export.js');
  const type = STORED_TYPES[options.dtype];
  if (options.model !== undefined) return exportPretrained(options.model, type, terminal);
  if (options.run === undefined) {
    throw new InputError('expected either --run <folder> or --model <reference>, got neither');
  }
  return options.adapter
    ? exportAdapter(options.run, options.stage, terminal)
    : exportTrained(options.run, options.stage, type, options);
}

async function report(out: string, about: string, json: boolean, terminal: Terminal): Promise<void> {
  const { readdirSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { digestFile } = await import('@latent-sft/training');
  const files = readdirSync(out)
    .sort()
    .map((name) => ({ name, ...digestFile(join(out, name)) }));
  if (json) return terminal.result(JSON.stringify({ out, about, files }));
  terminal.result(`${out}: ${about}`);
  for (const { name, sizeBytes, sha256 } of files) {
    terminal.result(`  ${name}, ${sizeBytes.toLocaleString('en-US')} bytes, sha256 ${sha256}`);
  }
}
